// /api/v1/plans: what customers can be on. A customer sees the plans' prices and its own, never another's.

#include <algorithm>

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

json::object seen_by(const Actor& actor, ledger::Plan plan) {
    std::erase_if(plan.prices,
                  [&](const ledger::Price& price) { return !price.tenant.empty() && !actor.sees(price.tenant); });
    return ledger::to_json(plan);
}

Task<Result<http::Response>> list_plans(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(
            *paging, ledger::plans(session, paging->after, paging->fetch()),
            [&](const ledger::Plan& plan) { return seen_by(exchange.actor, plan); },
            [](const ledger::Plan& plan) { return plan.code; });
    });
}

Task<Result<http::Response>> get_plan(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto plan = ledger::find_plan(session, exchange.request.path_value("id"));
        if (!plan) return fail(ErrorCode::not_found, "there is no such plan", "id", "plan_not_found");
        return Told{seen_by(exchange.actor, std::move(*plan))};
    });
}

Task<Result<http::Response>> make_plan(Exchange& exchange) {
    auto plan = ledger::read_plan(exchange.body, "the request body");
    if (!plan) co_return fail(plan.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(added, ledger::add_plan_version(session, *plan, exchange.services.clock.now()));
        return Told{ledger::to_json(added), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

Result<Told> add_price(Exchange& exchange, store::Session& session) {
    auto body = exchange.body.as_object();
    ledger::Price owner;
    if (const auto* tenant = body.if_contains("tenant")) {
        ROOTSTOCK_TRY(found, tenant::find(session, std::string(tenant->as_string())));
        owner.tenant = found.id;
        body.erase("tenant");
    }
    ROOTSTOCK_TRY(price, ledger::read_price(body, "the request body"));
    price.tenant = owner.tenant;
    ROOTSTOCK_TRY(plan, ledger::find_plan(session, exchange.request.path_value("id")));
    ROOTSTOCK_TRY(added, ledger::add_price(session, plan.code, plan.version, price, exchange.services.clock.now()));
    return Told{ledger::to_json(added), 201};
}

Task<Result<http::Response>> make_price(Exchange& exchange) {
    Work work = [&](store::Session& session) { return add_price(exchange, session); };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_plans_routes(Routes& routes) {
    routes.add("GET", "/api/v1/plans", managed(Body::none, list_plans));
    routes.add("POST", "/api/v1/plans", managed(Body::json, make_plan));
    routes.add("GET", "/api/v1/plans/{id}", managed(Body::none, get_plan));
    routes.add("POST", "/api/v1/plans/{id}/prices", managed(Body::json, make_price));
}

}  // namespace rootstock
