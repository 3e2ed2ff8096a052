// /api/v1/tax-rates and /api/v1/billing-details: what is taxed, and who stands on an invoice.

#include "app/routes/management.h"
#include "app/routes/routes.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

std::string text(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value ? std::string(value->as_string()) : "";
}

json::object to_json(const ledger::TaxRate& rate) {
    return {{"id", rate.id},
            {"name", rate.name},
            {"country", rate.country},
            {"region", rate.region},
            {"basis_points", rate.basis_points},
            {"inclusive", rate.inclusive},
            {"starts_at", to_iso8601(rate.starts)},
            {"ends_at", time_or_null(rate.ends)}};
}

Task<Result<http::Response>> list_rates(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(*paging, ledger::tax_rates(session, paging->after, paging->fetch()), to_json,
                       [](const ledger::TaxRate& rate) { return rate.id; });
    });
}

// Rates begin and end with a month, in UTC.
Task<Result<http::Response>> add_rate(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(first, ledger::month(text(body, "from_month")));
        const auto* inclusive = body.if_contains("inclusive");
        ROOTSTOCK_TRY(rate, ledger::add_tax_rate(session,
                                                 {.name = text(body, "name"),
                                                  .country = text(body, "country"),
                                                  .region = text(body, "region"),
                                                  .basis_points = body.at("basis_points").to_number<std::int64_t>(),
                                                  .inclusive = inclusive && inclusive->as_bool(),
                                                  .starts = first.start},
                                                 exchange.services.clock.now()));
        return Told{to_json(rate), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> end_rate(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(last, ledger::month(text(exchange.body.as_object(), "last_month")));
        ROOTSTOCK_TRY(rate, ledger::end_tax_rate(session, std::string(exchange.request.path_value("id")), last.end));
        return Told{to_json(rate)};
    };
    co_return co_await change(exchange, std::move(work));
}

Told told_of(const ledger::Party& party) { return {ledger::to_json(party), 200, party.version}; }

Task<Result<http::Response>> get_details(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return told_of(ledger::billing_details(session, *exchange.actor.tenant));
    });
}

Task<Result<http::Response>> set_details(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    Work work = [&](store::Session& session) -> Result<Told> {
        const auto before = ledger::billing_details(session, *exchange.actor.tenant);
        ROOTSTOCK_CHECKED(expect_version(exchange, before.version));
        ledger::Party party{text(body, "name"),   text(body, "address"), text(body, "country"), text(body, "region"),
                            text(body, "tax_id"), text(body, "email"),   text(body, "language")};
        if (party.language.empty()) party.language = before.language;
        ROOTSTOCK_TRY(now, ledger::set_billing_details(session, *exchange.actor.tenant, std::move(party),
                                                       exchange.services.clock.now()));
        return told_of(now);
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_tax_rates_routes(Routes& routes) {
    routes.add("GET", "/api/v1/tax-rates", managed(Body::none, list_rates));
    routes.add("POST", "/api/v1/tax-rates", managed(Body::json, add_rate));
    routes.add("POST", "/api/v1/tax-rates/{id}/end", managed(Body::json, end_rate));
    routes.add("GET", "/api/v1/billing-details", managed(Body::none, get_details));
    routes.add("PUT", "/api/v1/billing-details", managed(Body::json, set_details));
}

}  // namespace rootstock
