// /api/v1/wallet and /api/v1/quota: what a customer has in credit, and what its plan lets it use.

#include "app/routes/management.h"
#include "app/routes/routes.h"
#include "app/routes/subscription_json.h"

namespace rootstock {
namespace {

Task<Result<http::Response>> get_wallet(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(books, ledger::balance(session, *exchange.actor.tenant));
        Micros left;
        json::array grants;
        for (const auto& grant : ledger::burn_order(session, *exchange.actor.tenant)) {
            left = left + grant.remaining;
            grants.push_back(to_json(grant));
        }
        return Told{json::object{
            {"currency", books.currency}, {"remaining", format_exact(left)}, {"grants", std::move(grants)}}};
    });
}

Task<Result<http::Response>> list_grants(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(
            *paging, ledger::grants(session, *exchange.actor.tenant, paging->after, paging->fetch()),
            [](const ledger::Grant& grant) { return to_json(grant); },
            [](const ledger::Grant& grant) { return grant.id; });
    });
}

Result<ledger::GrantOrder> order_of(const json::object& body, Timestamp now) {
    ledger::GrantOrder order;
    order.kind = *ledger::grant_kind(std::string(body.at("kind").as_string()));
    auto amount = parse_micros(std::string(body.at("amount").as_string()));
    if (!amount) return fail(ErrorCode::invalid_argument, amount.error().message, "amount");
    order.amount = *amount;
    if (const auto* priority = body.if_contains("priority")) order.priority = priority->to_number<std::int64_t>();
    if (const auto* source = body.if_contains("source")) order.source = std::string(source->as_string());
    constexpr std::int64_t day = 86'400'000'000;
    if (const auto days = nullable_int(body, "days")) order.expires = Timestamp{now.micros + *days * day};
    return order;
}

Task<Result<http::Response>> make_grant(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        const auto now = exchange.services.clock.now();
        const auto& body = exchange.body.as_object();
        ROOTSTOCK_TRY(order, order_of(body, now));
        ROOTSTOCK_TRY(found, tenant::find(session, std::string(body.at("tenant").as_string())));
        order.tenant = found.id;
        ROOTSTOCK_TRY(grant, ledger::grant(session, order, now));
        return Told{to_json(grant), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> end_grant(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(grant, ledger::void_grant(session, std::nullopt, exchange.request.path_value("id"),
                                                exchange.services.clock.now()));
        return Told{to_json(grant)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> get_quota(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(quota, ledger::quota(session, *exchange.actor.tenant, exchange.services.clock.now()));
        return Told{to_json(quota)};
    });
}

}  // namespace

void add_wallet_routes(Routes& routes) {
    routes.add("GET", "/api/v1/wallet", managed(Body::none, get_wallet));
    routes.add("GET", "/api/v1/wallet/grants", managed(Body::none, list_grants));
    routes.add("POST", "/api/v1/wallet/grants", managed(Body::json, make_grant));
    routes.add("DELETE", "/api/v1/wallet/grants/{id}", managed(Body::none, end_grant));
    routes.add("GET", "/api/v1/quota", managed(Body::none, get_quota));
}

}  // namespace rootstock
