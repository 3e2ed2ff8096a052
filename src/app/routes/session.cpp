// /api/v1/session: signing in and out, and one's own password.

#include "app/pipeline/steps.h"
#include "app/routes/management.h"
#include "app/routes/passwords.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

std::unexpected<Error> wrong() {
    return fail(ErrorCode::unauthenticated, "the address or the password is wrong", {}, "sign_in_refused");
}

std::string cookie_of(const Services& services, std::string_view token, std::int64_t seconds) {
    std::string cookie(session_cookie(services));
    cookie.append("=").append(token).append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
    cookie += std::to_string(seconds);
    if (services.settings.tls) cookie += "; Secure";
    return cookie;
}

json::object to_json(const tenant::Person& person, const std::vector<tenant::Membership>& memberships,
                     std::string_view token) {
    json::array all;
    for (const auto& membership : memberships)
        all.push_back(json::object{{"tenant", text_or_null(membership.tenant.text())},
                                   {"tenant_name", membership.tenant_name},
                                   {"role", tenant::name(membership.role)}});
    return {{"id", person.id.text()},
            {"email", person.email},
            {"name", person.name},
            {"memberships", std::move(all)},
            {"csrf_token", tenant::csrf_of(token)}};
}

// `pass` runs before the session begins, in the same transaction, and can refuse it.
using Pass = std::function<Result<tenant::Person>(store::Session&)>;

struct Begun {
    tenant::Person person;
    tenant::NewSignIn session;
};

Task<Result<http::Response>> begin(Exchange& exchange, Pass pass) {
    const auto now = exchange.services.clock.now();
    auto work = [pass = std::move(pass), now](store::Session& session) -> Result<Begun> {
        ROOTSTOCK_TRY(person, pass(session));
        auto made = tenant::begin_session(session, person.id, now);
        return Begun{std::move(person), std::move(made)};
    };
    auto begun = co_await exchange.services.write(work);
    if (!begun) co_return fail(begun.error());
    auto memberships =
        exchange.services.records->read([&](store::Session& session) -> Result<std::vector<tenant::Membership>> {
            return tenant::memberships_of(session, begun->person.id);
        });
    if (!memberships) co_return fail(memberships.error());
    auto response = json_response(to_json(begun->person, *memberships, begun->session.token));
    response.status = 201;
    const auto seconds = std::chrono::seconds(tenant::sign_in_absolute).count();
    response.headers.push_back({"Set-Cookie", cookie_of(exchange.services, begun->session.token, seconds)});
    co_return response;
}

std::optional<std::string> code_of(const json::value& body) {
    const auto* code = body.as_object().if_contains("code");
    return code ? std::optional(std::string(code->as_string())) : std::nullopt;
}

Task<Result<http::Response>> sign_in(Exchange& exchange) {
    auto& services = exchange.services;
    const std::string given(exchange.body.at("email").as_string()), password(exchange.body.at("password").as_string());
    auto email = tenant::read_email(given);
    if (!email) co_return wrong();
    const auto address = exchange.request.peer;
    const auto wait = services.attempts.seconds_to_wait(address, *email, monotonic_seconds());
    if (wait > 0) co_return too_often(wait);
    auto known = known_person(exchange, *email);
    if (!known) co_return fail(known.error());
    auto check = [&known, &password] { return tenant::right_password(known->hash, password); };
    auto right = co_await on_passwords(exchange, check);
    if (!right) co_return fail(right.error());
    if (!*right) {
        services.attempts.failed(address, *email, monotonic_seconds());
        co_return wrong();
    }
    auto pass = [&, person = *known->person](store::Session& session) -> Result<tenant::Person> {
        ROOTSTOCK_CHECKED(tenant::pass_second_factor(session, deriving(services), person.id, code_of(exchange.body),
                                                     services.clock.now()));
        return person;
    };
    auto response = co_await begin(exchange, std::move(pass));
    if (response)
        services.attempts.succeeded(address, *email);
    else if (response.error().reason == "sign_in_refused")
        services.attempts.failed(address, *email, monotonic_seconds());
    co_return response;
}

Task<Result<http::Response>> show(Exchange& exchange) {
    const auto& person = *exchange.person;
    co_return json_response(
        to_json(person.person, person.memberships, session_token(exchange.services, exchange.request)));
}

Task<Result<http::Response>> end(Exchange& exchange, bool all) {
    const auto now = exchange.services.clock.now();
    Work work = [&](store::Session& session) -> Result<Told> {
        tenant::end_session(session, exchange.person->session, now);
        if (all) tenant::end_sessions(session, exchange.actor.person, exchange.person->session, now);
        return Told{json::object{{"ended", true}}};
    };
    auto response = co_await change(exchange, std::move(work));
    if (response) response->headers.push_back({"Set-Cookie", cookie_of(exchange.services, "", 0)});
    co_return response;
}

Task<Result<http::Response>> sign_out(Exchange& exchange) { co_return co_await end(exchange, false); }
Task<Result<http::Response>> sign_out_everywhere(Exchange& exchange) { co_return co_await end(exchange, true); }

Task<Result<http::Response>> change_password(Exchange& exchange) {
    const std::string old(exchange.body.at("old").as_string()), fresh(exchange.body.at("new").as_string());
    if (auto fine = tenant::check_password(fresh); !fine) co_return fail(fine.error());
    auto known = known_person(exchange, exchange.person->person.email);
    if (!known) co_return fail(known.error());
    const auto wait = exchange.services.attempts.seconds_to_wait(exchange.request.peer, exchange.person->person.email,
                                                                 monotonic_seconds());
    if (wait > 0) co_return too_often(wait);
    auto renew = [&]() -> std::optional<std::string> {
        if (!tenant::right_password(known->hash, old)) return std::nullopt;
        return tenant::hash_password(fresh);
    };
    auto hash = co_await on_passwords(exchange, renew);
    if (!hash) co_return fail(hash.error());
    if (!*hash) {
        exchange.services.attempts.failed(exchange.request.peer, exchange.person->person.email, monotonic_seconds());
        co_return fail(ErrorCode::permission_denied, "the old password is another one", "old", "password_wrong");
    }
    Work work = [&](store::Session& session) -> Result<Told> {
        tenant::set_password(session, exchange.actor.person, **hash);
        tenant::end_sessions(session, exchange.actor.person, exchange.person->session, exchange.services.clock.now());
        return Told{json::object{{"changed", true}}};
    };
    co_return co_await change(exchange, std::move(work));
}

// Who has no password yet chooses one; who has one must bring it.
Task<Result<http::Response>> accept(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    const std::string token(body.at("token").as_string()), password(body.at("password").as_string());
    if (auto fine = tenant::check_password(password); !fine) co_return fail(fine.error());
    auto invited = exchange.services.records->read([&](store::Session& session) {
        return tenant::find_invitation(session, token, exchange.services.clock.now());
    });
    if (!invited) co_return fail(invited.error());
    auto known = known_person(exchange, invited->email);
    if (!known) co_return fail(known.error());
    auto prove = [&]() -> std::optional<std::string> {
        if (known->person && !tenant::right_password(known->hash, password)) return std::nullopt;
        return tenant::hash_password(password);
    };
    auto hash = co_await on_passwords(exchange, prove);
    if (!hash) co_return fail(hash.error());
    if (!*hash) co_return wrong();
    const auto* name = body.if_contains("name");
    const std::string chosen(name ? std::string_view(name->as_string()) : std::string_view());
    auto pass = [&](store::Session& session) -> Result<tenant::Person> {
        const auto now = exchange.services.clock.now();
        if (known->person)
            ROOTSTOCK_CHECKED(tenant::pass_second_factor(session, deriving(exchange.services), known->person->id,
                                                         code_of(exchange.body), now));
        return tenant::accept_invitation(session, token, chosen, **hash, now);
    };
    co_return co_await begin(exchange, std::move(pass));
}

Endpoint open_to_all(std::function<Task<Result<http::Response>>(Exchange&)> answer) {
    return {Access::open, Body::json, std::move(answer), Dialect::details};
}

}  // namespace

void add_session_routes(Routes& routes) {
    routes.add("POST", "/api/v1/session", open_to_all(sign_in));
    routes.add("GET", "/api/v1/session", managed(Body::none, show));
    routes.add("DELETE", "/api/v1/session", managed(Body::none, sign_out));
    routes.add("DELETE", "/api/v1/sessions", managed(Body::none, sign_out_everywhere));
    routes.add("POST", "/api/v1/password", managed(Body::json, change_password));
    routes.add("POST", "/api/v1/invitations/accept", open_to_all(accept));
}

}  // namespace rootstock
