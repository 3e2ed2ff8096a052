// /api/v1/economics: what a month earned and cost, and what customers to come would.

#include "app/pages/what_if_chart.h"
#include "app/routes/economics_json.h"
#include "app/routes/management.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

Result<ledger::Period> month_of(Exchange& exchange, TextFields& fields) {
    const auto text = fields.text("month");
    if (text.empty()) return ledger::month_of(exchange.services.clock.now());
    auto month = ledger::month(text);
    if (!month) return fail(ErrorCode::invalid_argument, month.error().message, "month");
    return month;
}

Task<Result<http::Response>> get_economics(Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto month = month_of(exchange, fields);
    if (!month) co_return fail(month.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(named, bill::economics(session, *month));
        return Told{to_json(named, ledger::machine_price(session, exchange.services.clock.now()))};
    });
}

Result<ledger::WhatIfOrder> order_of(Exchange& exchange, TextFields& fields) {
    ledger::WhatIfOrder order;
    ROOTSTOCK_TRY(month, month_of(exchange, fields));
    order.measured = month;
    if (const auto text = fields.text("customers"); !text.empty()) {
        ROOTSTOCK_TRY(numbers, read_numbers(text, "customers"));
        order.customers = std::move(numbers);
    }
    ROOTSTOCK_TRY(mix, read_mix(fields.text("mix"), "mix"));
    order.mix = std::move(mix);
    ROOTSTOCK_TRY(price, parse_micros(fields.text("price", "0")));
    order.price = price;
    if (const auto text = fields.text("machine"); !text.empty()) {
        ROOTSTOCK_TRY(machine, parse_micros(text));
        order.machine_per_hour = machine;
    }
    order.utilisation = fields.integer("utilisation", order.utilisation, 1, 100);
    return order;
}

Task<Result<http::Response>> get_what_if(Exchange& exchange) {
    auto fields = TextFields::of_query(exchange.request);
    auto order = order_of(exchange, fields);
    if (!order) co_return fail(order.error());
    auto answer =
        exchange.services.records->read([&](store::Session& session) { return ledger::what_if(session, *order); });
    if (!answer) co_return fail(answer.error());
    if (fields.text("format") != "svg") co_return json_response(ledger::to_json(*answer));
    http::Response chart;
    chart.content_type = "image/svg+xml";
    chart.body = what_if_chart(*answer);
    co_return chart;
}

}  // namespace

void add_economics_routes(Routes& routes) {
    routes.add("GET", "/api/v1/economics", managed(Body::none, get_economics));
    routes.add("GET", "/api/v1/economics/what-if", managed(Body::none, get_what_if));
}

}  // namespace rootstock
