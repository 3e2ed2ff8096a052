// /api/v1/offers: which plans are in the shop window, and what is said of them there.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

std::string text_of(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value ? std::string(value->as_string()) : std::string();
}

Task<Result<http::Response>> list_offers(Exchange& exchange) {
    co_return look(exchange, [](store::Session& session) -> Result<Told> {
        json::array data;
        for (const auto& offer : ledger::offers(session)) data.push_back(ledger::to_json(offer));
        return Told{json::object{{"data", std::move(data)}}};
    });
}

Task<Result<http::Response>> put_offer(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        const auto& body = exchange.body.as_object();
        const auto* position = body.if_contains("position");
        ROOTSTOCK_TRY(offer, ledger::put_offer(session,
                                               {.plan = std::string(exchange.request.path_value("id")),
                                                .position = position ? position->to_number<std::int64_t>() : 0,
                                                .name_zh = text_of(body, "name_zh"),
                                                .summary = text_of(body, "summary"),
                                                .summary_zh = text_of(body, "summary_zh")},
                                               exchange.services.clock.now()));
        return Told{ledger::to_json(offer)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> withdraw_offer(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(gone, ledger::withdraw_offer(session, exchange.request.path_value("id")));
        return Told{ledger::to_json(gone)};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_offers_routes(Routes& routes) {
    routes.add("GET", "/api/v1/offers", managed(Body::none, list_offers));
    routes.add("PUT", "/api/v1/offers/{id}", managed(Body::json, put_offer));
    routes.add("DELETE", "/api/v1/offers/{id}", managed(Body::none, withdraw_offer));
}

}  // namespace rootstock
