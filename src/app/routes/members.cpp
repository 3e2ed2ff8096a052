// /api/v1/members and /api/v1/invitations: who is what, where.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

std::string place_of(const tenant::Member& member) {
    return member.person.id.text() + " " + member.membership.tenant.text();
}

json::object to_json(const tenant::Member& member) {
    return {{"id", member.person.id.text()},
            {"tenant", text_or_null(member.membership.tenant.text())},
            {"email", member.person.email},
            {"name", member.person.name},
            {"role", tenant::name(member.membership.role)}};
}

Task<Result<http::Response>> list_members(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto members = tenant::list_members(session, exchange.actor.tenant, paging->after, paging->fetch());
        return page_of(*paging, std::move(members), to_json, place_of);
    });
}

// Only an owner makes or unmakes owners; a key, which is no person, does neither.
Result<void> check_rank(const Exchange& exchange, tenant::Role role) {
    if (role != tenant::Role::owner || exchange.actor.role == tenant::Role::owner) return {};
    return fail(ErrorCode::permission_denied, "only an owner names or removes owners", "role", "insufficient_role");
}

Result<tenant::Member> member_of(Exchange& exchange, store::Session& session) {
    for (auto& member : tenant::list_members(session, exchange.actor.tenant, "", INT64_MAX))
        if (member.person.id.text() == exchange.request.path_value("id")) {
            ROOTSTOCK_CHECKED(check_rank(exchange, member.membership.role));
            return std::move(member);
        }
    return fail(ErrorCode::not_found, "there is no such member", "id", "member_not_found");
}

Task<Result<http::Response>> change_member(Exchange& exchange) {
    auto role = tenant::role_of(exchange.body.at("role").as_string());
    if (!role) co_return fail(role.error());
    if (auto fine = check_rank(exchange, *role); !fine) co_return fail(fine.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(member, member_of(exchange, session));
        ROOTSTOCK_CHECKED(tenant::set_role(session, member.membership.tenant, member.person.id, *role,
                                           exchange.services.clock.now()));
        member.membership.role = *role;
        return Told{to_json(member)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> remove_member(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(member, member_of(exchange, session));
        ROOTSTOCK_CHECKED(tenant::remove_member(session, member.membership.tenant, member.person.id));
        return Told{to_json(member)};
    };
    co_return co_await change(exchange, std::move(work));
}

Result<void> post(Exchange& exchange, store::Session& session, const tenant::NewInvitation& made) {
    const auto& to = *exchange.actor.tenant;
    ROOTSTOCK_TRY(where, tenant::find(session, to.text()));
    const auto letter =
        letters::invitation(exchange.services.settings.outside.language,
                            {made.email, where.name, tenant::name(made.role), made.token, made.expires});
    outbox::post_letter(session, *exchange.services.vault, to, "invitation", letter, exchange.services.clock.now());
    return {};
}

Task<Result<http::Response>> invite(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    auto role = tenant::role_of(body.at("role").as_string());
    if (!role) co_return fail(role.error());
    if (auto fine = check_rank(exchange, *role); !fine) co_return fail(fine.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(made, tenant::invite(session, *exchange.actor.tenant, body.at("email").as_string(), *role,
                                           exchange.actor.id(), exchange.services.clock.now()));
        Told told{json::object{{"id", made.id},
                               {"email", made.email},
                               {"role", tenant::name(made.role)},
                               {"expires_at", to_iso8601(made.expires)},
                               {"token", nullptr}},
                  201};
        told.replay = told.body;
        // By e-mail it reaches the one it is for; without a mail server the inviter hands it on.
        if (exchange.services.settings.outside.courier.smtp.url.empty()) {
            told.body["token"] = made.token;
            return told;
        }
        ROOTSTOCK_CHECKED(post(exchange, session, made));
        return told;
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_members_routes(Routes& routes) {
    routes.add("GET", "/api/v1/members", managed(Body::none, list_members));
    routes.add("PATCH", "/api/v1/members/{id}", managed(Body::json, change_member));
    routes.add("DELETE", "/api/v1/members/{id}", managed(Body::none, remove_member));
    routes.add("POST", "/api/v1/invitations", managed(Body::json, invite));
}

}  // namespace rootstock
