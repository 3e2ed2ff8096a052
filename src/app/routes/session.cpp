// /api/v1/session: signing in and out, and one's own password.

#include "app/pipeline/steps.h"
#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr int passwords_waiting_max = 16;

std::unexpected<Error> wrong() {
    return fail(ErrorCode::unauthenticated, "the address or the password is wrong", {}, "sign_in_refused");
}

// Hashing waits its turn on a thread of its own; where many wait already, more are sent away.
template <typename Work>
Task<Result<std::invoke_result_t<Work&>>> on_passwords(Exchange& exchange, Work work) {
    auto& services = exchange.services;
    if (services.passwords_waiting >= passwords_waiting_max)
        co_return fail(ErrorCode::overloaded, "too many sign in just now: come back in a moment");
    ++services.passwords_waiting;
    auto done = co_await run_on(services.passwords, std::move(work));
    --services.passwords_waiting;
    co_return std::move(done);
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

Task<Result<http::Response>> begin(Exchange& exchange, const tenant::Person& person) {
    const auto now = exchange.services.clock.now();
    auto work = [&](store::Session& session) -> Result<tenant::NewSignIn> {
        return tenant::begin_session(session, person.id, now);
    };
    auto begun = co_await exchange.services.write(work);
    if (!begun) co_return fail(begun.error());
    auto memberships =
        exchange.services.records->read([&](store::Session& session) -> Result<std::vector<tenant::Membership>> {
            return tenant::memberships_of(session, person.id);
        });
    if (!memberships) co_return fail(memberships.error());
    auto response = json_response(to_json(person, *memberships, begun->token));
    response.status = 201;
    const auto seconds = std::chrono::seconds(tenant::sign_in_absolute).count();
    response.headers.push_back({"Set-Cookie", cookie_of(exchange.services, begun->token, seconds)});
    co_return response;
}

struct Known {
    std::optional<tenant::Person> person;
    std::optional<std::string> hash;
};

Result<Known> look_up(Exchange& exchange, const std::string& email) {
    return exchange.services.records->read([&](store::Session& session) -> Result<Known> {
        return Known{tenant::find_person(session, email), tenant::kept_password(session, email)};
    });
}

// 429 says when; Retry-After is at most 61 s as everywhere, and whoever comes back too early waits on.
std::unexpected<Error> too_often(double seconds) {
    return fail(ErrorCode::rate_limited,
                "too many failed tries: wait " + std::to_string(static_cast<std::int64_t>(seconds) + 1) + " s");
}

Task<Result<http::Response>> sign_in(Exchange& exchange) {
    auto& services = exchange.services;
    const std::string given(exchange.body.at("email").as_string()), password(exchange.body.at("password").as_string());
    auto email = tenant::read_email(given);
    if (!email) co_return wrong();
    const auto address = exchange.request.peer;
    const auto wait = services.attempts.seconds_to_wait(address, *email, monotonic_seconds());
    if (wait > 0) co_return too_often(wait);
    auto known = look_up(exchange, *email);
    if (!known) co_return fail(known.error());
    auto check = [&known, &password] { return tenant::right_password(known->hash, password); };
    auto right = co_await on_passwords(exchange, check);
    if (!right) co_return fail(right.error());
    if (!*right) {
        services.attempts.failed(address, *email, monotonic_seconds());
        co_return wrong();
    }
    services.attempts.succeeded(address, *email);
    co_return co_await begin(exchange, *known->person);
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
    auto known = look_up(exchange, exchange.person->person.email);
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
    auto known = look_up(exchange, invited->email);
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
    auto work = [&](store::Session& session) {
        return tenant::accept_invitation(session, token, chosen, **hash, exchange.services.clock.now());
    };
    auto person = co_await exchange.services.write(work);
    if (!person) co_return fail(person.error());
    co_return co_await begin(exchange, *person);
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
