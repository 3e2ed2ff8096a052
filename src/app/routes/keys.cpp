// /api/v1/keys: the keys of a tenant's programs. A secret is told once, when it is made.

#include <algorithm>

#include "app/contract/contract.h"
#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::int64_t micros_per_day = 86'400'000'000;

json::value number_or_null(const std::optional<std::int64_t>& limit) {
    return limit ? json::value(*limit) : json::value(nullptr);
}

const char* state_of(const tenant::ApiKey& key, Timestamp now) {
    if (key.revoked) return "revoked";
    return key.expires && *key.expires <= now ? "expired" : "active";
}

json::value day_or_null(const std::optional<std::int64_t>& day) {
    if (!day) return nullptr;
    return json::value(to_iso8601(Timestamp{*day * micros_per_day}).substr(0, 10));
}

json::value to_json(const std::optional<ledger::KeyBudget>& budget) {
    if (!budget || !budget->amount) return nullptr;
    return json::object{{"amount", format_exact(*budget->amount)},
                        {"period", ledger::name(budget->period)},
                        {"spent", format_exact(budget->spent)},
                        {"held", format_exact(budget->held)}};
}

json::object to_json(store::Session& session, const tenant::ApiKey& key, Timestamp now) {
    json::array scopes;
    for (const auto& scope : key.scopes) scopes.emplace_back(scope);
    return {{"id", key.id.text()},
            {"tenant", text_or_null(key.tenant.text())},
            {"name", key.name},
            {"prefix", key.prefix},
            {"state", state_of(key, now)},
            {"scopes", std::move(scopes)},
            {"networks", json::value_from(key.networks)},
            {"models", json::value_from(key.models)},
            {"budget", to_json(ledger::key_budget(session, key.id, now))},
            {"last_used_on", day_or_null(key.last_used_day)},
            {"limits",
             {{"requests_per_minute", number_or_null(key.limits.requests_per_minute)},
              {"tokens_per_minute", number_or_null(key.limits.tokens_per_minute)},
              {"parallel", number_or_null(key.limits.parallel)}}},
            {"created_at", to_iso8601(key.created)},
            {"expires_at", time_or_null(key.expires)},
            {"revoked_at", time_or_null(key.revoked)},
            {"version", key.version}};
}

Told told_of(store::Session& session, const tenant::ApiKey& key, Timestamp now) {
    return {to_json(session, key, now), 200, key.version};
}

Task<Result<http::Response>> list_keys(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    const auto now = exchange.services.clock.now();
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto keys = tenant::list_keys_page(session, exchange.actor.tenant, paging->after, paging->fetch());
        return page_of(
            *paging, std::move(keys), [&](const tenant::ApiKey& key) { return to_json(session, key, now); },
            [](const tenant::ApiKey& key) { return key.id.text(); });
    });
}

Task<Result<http::Response>> get_key(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(key, tenant::key_of(session, exchange.actor.tenant, exchange.request.path_value("id")));
        return told_of(session, key, exchange.services.clock.now());
    });
}

bool role_may(const tenant::Role role, const std::string& scope) {
    for (const auto& operation : Contract::built_in().operations())
        if (std::ranges::find(operation.scopes, scope) != operation.scopes.end() &&
            std::ranges::find(operation.roles, tenant::name(role)) == operation.roles.end())
            return false;
    return true;
}

// Nobody hands on more than he may himself: a key the scopes that it holds, a person those of which the role may call
// every operation. Scopes of models are for whoever may make keys at all.
Result<void> check_grant(const Exchange& exchange, const tenant::Scopes& scopes) {
    const auto& actor = exchange.actor;
    for (const auto& scope : scopes) {
        if (!scope.contains(':')) continue;
        if (actor.role ? role_may(*actor.role, scope) : tenant::holds(exchange.caller.scopes, scope)) continue;
        return fail(ErrorCode::permission_denied, "the scope " + scope + " is more than you may do yourself", "scopes",
                    "insufficient_scope");
    }
    return {};
}

Result<tenant::Scopes> scopes_of(const Exchange& exchange) {
    tenant::Scopes scopes;
    const auto known = Contract::built_in().scopes();
    if (const auto* given = exchange.body.as_object().if_contains("scopes"))
        for (const auto& word : given->as_array()) scopes.emplace_back(word.as_string());
    for (const auto& scope : scopes)
        if (!std::ranges::binary_search(known, scope))
            return fail(ErrorCode::invalid_argument, "there is no scope '" + scope + "'", "scopes");
    ROOTSTOCK_CHECKED(check_grant(exchange, scopes));
    return scopes;
}

tenant::Limits limits_of(const json::object& body) {
    const auto* limits = body.if_contains("limits");
    if (!limits) return {};
    const auto& given = limits->as_object();
    return {nullable_int(given, "requests_per_minute"), nullable_int(given, "tokens_per_minute"),
            nullable_int(given, "parallel")};
}

tenant::KeyModels models_of(const json::object& body) {
    tenant::KeyModels models;
    if (const auto* given = body.if_contains("models"))
        for (const auto& name : given->as_array()) models.emplace_back(name.as_string());
    return models;
}

// null takes the limit away.
Result<void> set_budget(store::Session& session, const tenant::ApiKey& key, const json::object& body, Timestamp now) {
    const auto* given = body.if_contains("budget");
    if (!given) return {};
    std::optional<Micros> amount;
    auto period = ledger::BudgetPeriod::month;
    if (const auto* budget = given->if_object()) {
        auto read = parse_micros(std::string(budget->at("amount").as_string()));
        if (!read) return fail(ErrorCode::invalid_argument, read.error().message, "budget");
        amount = *read;
        if (const auto* named = budget->if_contains("period")) period = *ledger::budget_period(named->as_string());
    } else if (!ledger::key_budget(session, key.id, now)) {
        return {};
    }
    if (key.tenant.empty())
        return fail(ErrorCode::invalid_argument, "a key of the house spends nothing, so it has no budget", "budget");
    ROOTSTOCK_CHECKED(ledger::set_key_budget(session, key.tenant, key.id, amount, period, now));
    return {};
}

Told shown_once(store::Session& session, const tenant::NewKey& made, Timestamp now) {
    Told told{to_json(session, made.key, now), 201, made.key.version};
    told.body["secret"] = nullptr;
    told.replay = told.body;
    told.body["secret"] = made.secret;
    return told;
}

Task<Result<http::Response>> make_key(Exchange& exchange) {
    auto scopes = scopes_of(exchange);
    if (!scopes) co_return fail(scopes.error());
    const auto& body = exchange.body.as_object();
    const auto now = exchange.services.clock.now();
    std::optional<Timestamp> expires;
    if (const auto days = nullable_int(body, "days")) expires = Timestamp{now.micros + *days * micros_per_day};
    const auto* name = body.if_contains("name");
    tenant::Networks networks;
    if (const auto* given = body.if_contains("networks"))
        for (const auto& network : given->as_array()) networks.emplace_back(network.as_string());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(made, tenant::create_key(session, *exchange.actor.tenant,
                                               name ? std::string_view(name->as_string()) : std::string_view(), expires,
                                               now, limits_of(body), *scopes, networks, models_of(body)));
        ROOTSTOCK_CHECKED(set_budget(session, made.key, body, now));
        return shown_once(session, made, now);
    };
    co_return co_await change(exchange, std::move(work));
}

// The new key holds at once, the old one until the overlap is over.
Task<Result<http::Response>> rotate_key(Exchange& exchange) {
    const auto now = exchange.services.clock.now();
    const std::chrono::seconds overlap(nullable_int(exchange.body.as_object(), "overlap_seconds").value_or(0));
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(key, tenant::key_of(session, exchange.actor.tenant, exchange.request.path_value("id")));
        ROOTSTOCK_CHECKED(expect_version(exchange, key.version));
        ROOTSTOCK_CHECKED(check_grant(exchange, key.scopes));
        ROOTSTOCK_TRY(made, tenant::rotate_key(session, key, overlap, now));
        ledger::share_key_budget(session, key.id, made.key.id);
        return shown_once(session, made, now);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> revoke_key(Exchange& exchange) {
    const auto now = exchange.services.clock.now();
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(key, tenant::key_of(session, exchange.actor.tenant, exchange.request.path_value("id")));
        ROOTSTOCK_CHECKED(expect_version(exchange, key.version));
        ROOTSTOCK_TRY(revoked, tenant::revoke_key(session, key.id.text(), now));
        if (!key.revoked)
            outbox::announce(session, revoked.tenant, "key.revoked",
                             {{"id", revoked.id.text()}, {"name", revoked.name}}, now);
        return told_of(session, revoked, now);
    };
    co_return co_await change(exchange, std::move(work));
}

// What is not named stays as it is. Limits are replaced as a whole.
Task<Result<http::Response>> patch_key(Exchange& exchange) {
    const auto now = exchange.services.clock.now();
    Work work = [&](store::Session& session) -> Result<Told> {
        const auto& body = exchange.body.as_object();
        ROOTSTOCK_TRY(key, tenant::key_of(session, exchange.actor.tenant, exchange.request.path_value("id")));
        ROOTSTOCK_CHECKED(expect_version(exchange, key.version));
        if (key.revoked) return fail(ErrorCode::conflict, "this key is revoked: make a new one", "id", "key_state");
        if (body.contains("limits")) ROOTSTOCK_CHECKED(tenant::set_key_limits(session, key.id.text(), limits_of(body)));
        if (body.contains("models")) ROOTSTOCK_CHECKED(tenant::set_key_models(session, key.id.text(), models_of(body)));
        ROOTSTOCK_CHECKED(set_budget(session, key, body, now));
        if (body.contains("budget")) tenant::mark_key_changed(session, key.id);
        ROOTSTOCK_TRY(changed, tenant::key_of(session, exchange.actor.tenant, key.id.text()));
        return told_of(session, changed, now);
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_keys_routes(Routes& routes) {
    routes.add("GET", "/api/v1/keys", managed(Body::none, list_keys));
    routes.add("POST", "/api/v1/keys", managed(Body::json, make_key));
    routes.add("GET", "/api/v1/keys/{id}", managed(Body::none, get_key));
    routes.add("PATCH", "/api/v1/keys/{id}", managed(Body::json, patch_key));
    routes.add("POST", "/api/v1/keys/{id}/rotate", managed(Body::json, rotate_key));
    routes.add("DELETE", "/api/v1/keys/{id}", managed(Body::none, revoke_key));
}

}  // namespace rootstock
