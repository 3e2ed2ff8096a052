// /api/v1/partners: who brings customers, which, and what it earns them. The house's business.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

Timestamp now_of(Exchange& exchange) { return exchange.services.clock.now(); }

Result<ledger::Partner> found(Exchange& exchange, store::Session& session) {
    return ledger::find_partner(session, exchange.request.path_value("id"));
}

Task<Result<http::Response>> list_partners(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(
            *paging, ledger::partners(session, paging->after, paging->fetch()),
            [](const ledger::Partner& partner) { return ledger::to_json(partner); },
            [](const ledger::Partner& partner) { return partner.id; });
    });
}

Task<Result<http::Response>> get_partner(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(partner, found(exchange, session));
        return Told{ledger::to_json(partner)};
    });
}

// It may be a customer itself, named by `tenant`: then it brings itself nothing.
Result<Told> add_partner(Exchange& exchange, store::Session& session) {
    auto body = exchange.body.as_object();
    TenantId itself;
    if (const auto* tenant = body.if_contains("tenant")) {
        ROOTSTOCK_TRY(known, tenant::find(session, std::string(tenant->as_string())));
        itself = known.id;
        body.erase("tenant");
    }
    ROOTSTOCK_TRY(partner, ledger::read_partner(body, "the request body"));
    partner.tenant = itself;
    ROOTSTOCK_TRY(made, ledger::add_partner(session, partner, now_of(exchange)));
    return Told{ledger::to_json(made), 201};
}

Task<Result<http::Response>> make_partner(Exchange& exchange) {
    Work work = [&](store::Session& session) { return add_partner(exchange, session); };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> end_partner(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(ended, ledger::end_partner(session, exchange.request.path_value("id"), now_of(exchange)));
        return Told{ledger::to_json(ended)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> list_attributions(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(partner, found(exchange, session));
        return page_of(
            *paging, ledger::attributions(session, partner.id, paging->after, paging->fetch()),
            [](const ledger::Attribution& one) { return ledger::to_json(one); },
            [](const ledger::Attribution& one) { return one.tenant.text(); });
    });
}

Task<Result<http::Response>> attribute(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(partner, found(exchange, session));
        ROOTSTOCK_TRY(customer, tenant::find(session, std::string(exchange.body.at("tenant").as_string())));
        const auto address = ledger::billing_details(session, customer.id).email;
        ROOTSTOCK_TRY(made, ledger::attribute(session, customer.id, partner.id, address, "by hand", now_of(exchange)));
        return Told{ledger::to_json(made), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> statement(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(partner, found(exchange, session));
        Told told = page_of(
            *paging, ledger::commissions(session, partner.id, paging->after, paging->fetch()),
            [](const ledger::Commission& one) { return ledger::to_json(one); },
            [](const ledger::Commission& one) { return one.id; });
        json::array balances;
        for (const auto& balance : ledger::partner_balances(session, partner.id, now_of(exchange)))
            balances.push_back(ledger::to_json(balance));
        told.body["balances"] = std::move(balances);
        return told;
    });
}

Task<Result<http::Response>> pay_out(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(partner, found(exchange, session));
        const auto& body = exchange.body.as_object();
        ROOTSTOCK_TRY(payout, ledger::pay_out(session, partner.id, body.at("currency").as_string(),
                                              body.at("reference").as_string(), now_of(exchange)));
        return Told{ledger::to_json(payout), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_partners_routes(Routes& routes) {
    routes.add("GET", "/api/v1/partners", managed(Body::none, list_partners));
    routes.add("POST", "/api/v1/partners", managed(Body::json, make_partner));
    routes.add("GET", "/api/v1/partners/{id}", managed(Body::none, get_partner));
    routes.add("POST", "/api/v1/partners/{id}/end", managed(Body::none, end_partner));
    routes.add("GET", "/api/v1/partners/{id}/attributions", managed(Body::none, list_attributions));
    routes.add("POST", "/api/v1/partners/{id}/attributions", managed(Body::json, attribute));
    routes.add("GET", "/api/v1/partners/{id}/statement", managed(Body::none, statement));
    routes.add("POST", "/api/v1/partners/{id}/payouts", managed(Body::json, pay_out));
}

}  // namespace rootstock
