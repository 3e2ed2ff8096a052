// /api/v1/coupons, which the house makes, and /api/v1/coupon-redemptions: which customer has one.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

Task<Result<http::Response>> list_coupons(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(
            *paging, ledger::coupons(session, paging->after, paging->fetch()),
            [](const ledger::Coupon& coupon) { return ledger::to_json(coupon); },
            [](const ledger::Coupon& coupon) { return coupon.code; });
    });
}

Task<Result<http::Response>> get_coupon(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(coupon, ledger::find_coupon(session, exchange.request.path_value("id")));
        return Told{ledger::to_json(coupon)};
    });
}

Task<Result<http::Response>> make_coupon(Exchange& exchange) {
    auto coupon = ledger::read_coupon(exchange.body, "the request body");
    if (!coupon) co_return fail(coupon.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(made, ledger::add_coupon(session, *coupon, exchange.services.clock.now()));
        return Told{ledger::to_json(made), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> end_coupon(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(ended,
                      ledger::end_coupon(session, exchange.request.path_value("id"), exchange.services.clock.now()));
        return Told{ledger::to_json(ended)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> list_redemptions(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(
            *paging, ledger::redemptions(session, exchange.actor.tenant, paging->after, paging->fetch()),
            [](const ledger::Redemption& one) { return ledger::to_json(one); },
            [](const ledger::Redemption& one) { return one.id; });
    });
}

Task<Result<http::Response>> redeem(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(redeemed, ledger::redeem(session, *exchange.actor.tenant, exchange.body.at("code").as_string(),
                                               exchange.services.clock.now()));
        return Told{ledger::to_json(redeemed), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_coupons_routes(Routes& routes) {
    routes.add("GET", "/api/v1/coupons", managed(Body::none, list_coupons));
    routes.add("POST", "/api/v1/coupons", managed(Body::json, make_coupon));
    routes.add("GET", "/api/v1/coupons/{id}", managed(Body::none, get_coupon));
    routes.add("POST", "/api/v1/coupons/{id}/end", managed(Body::none, end_coupon));
    routes.add("GET", "/api/v1/coupon-redemptions", managed(Body::none, list_redemptions));
    routes.add("POST", "/api/v1/coupon-redemptions", managed(Body::json, redeem));
}

}  // namespace rootstock
