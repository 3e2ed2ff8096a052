// /api/v1/second-factor: a person's own authenticator.

#include "app/routes/management.h"
#include "app/routes/passwords.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

std::string field(const Exchange& exchange, std::string_view name) {
    return std::string(exchange.body.at(name).as_string());
}

json::object to_json(const tenant::SecondFactor& factor) {
    return {{"enabled", factor.on}, {"recovery_codes_left", factor.recovery_codes}};
}

Task<Result<http::Response>> show(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return Told{to_json(tenant::second_factor(session, exchange.actor.person))};
    });
}

Task<Result<http::Response>> begin(Exchange& exchange) {
    const auto password = field(exchange, "password");
    auto proved = co_await prove_password(exchange, password);
    if (!proved) co_return fail(proved.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        const auto& person = exchange.person->person;
        ROOTSTOCK_TRY(factor, tenant::begin_second_factor(session, person.id));
        const auto secret = tenant::totp_secret(deriving(exchange.services), person.id, factor.generation);
        json::object shown = to_json(factor), once = shown;
        once["secret"] = tenant::base32(secret);
        once["uri"] = tenant::totp_uri(secret, person.email);
        return Told{std::move(once), 201, {}, std::move(shown)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> confirm(Exchange& exchange) {
    auto& attempts = exchange.services.attempts;
    const auto& email = exchange.person->person.email;
    const auto wait = attempts.seconds_to_wait(exchange.request.peer, email, monotonic_seconds());
    if (wait > 0) co_return too_often(wait);
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(codes, tenant::confirm_second_factor(session, deriving(exchange.services), exchange.actor.person,
                                                           field(exchange, "code"), exchange.services.clock.now()));
        json::object shown = to_json(tenant::second_factor(session, exchange.actor.person)), once = shown;
        once["recovery_codes"] = json::value_from(codes);
        return Told{std::move(once), 200, {}, std::move(shown)};
    };
    auto response = co_await change(exchange, std::move(work));
    if (!response && response.error().reason == "code_wrong")
        attempts.failed(exchange.request.peer, email, monotonic_seconds());
    co_return response;
}

Task<Result<http::Response>> remove(Exchange& exchange) {
    const auto password = field(exchange, "password");
    auto proved = co_await prove_password(exchange, password);
    if (!proved) co_return fail(proved.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        tenant::remove_second_factor(session, exchange.actor.person);
        return Told{to_json(tenant::second_factor(session, exchange.actor.person))};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_second_factor_routes(Routes& routes) {
    routes.add("GET", "/api/v1/second-factor", managed(Body::none, show));
    routes.add("POST", "/api/v1/second-factor", managed(Body::json, begin));
    routes.add("POST", "/api/v1/second-factor/confirm", managed(Body::json, confirm));
    routes.add("POST", "/api/v1/second-factor/remove", managed(Body::json, remove));
}

}  // namespace rootstock
