// /api/v1/payments: what a tenant pays, through which provider, and every attempt at it.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

std::string text_at(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value ? std::string(value->as_string()) : std::string();
}

json::object to_json(const ledger::Attempt& attempt) {
    return {{"id", attempt.id.text()},
            {"state", ledger::name(attempt.state)},
            {"provider_ref", text_or_null(attempt.ref)},
            {"error", text_or_null(attempt.error)},
            {"created_at", to_iso8601(attempt.created)}};
}

json::object to_json(const ledger::Payment& payment) {
    return {{"id", payment.id.text()},
            {"tenant", payment.tenant.text()},
            {"invoice", text_or_null(payment.invoice.text())},
            {"provider", payment.provider},
            {"amount", payment.amount},
            {"currency", payment.currency},
            {"captured", payment.captured},
            {"refunded", payment.refunded},
            {"state", ledger::name(payment.state)},
            {"created_at", to_iso8601(payment.created)},
            {"version", payment.version}};
}

Told told_of(store::Session& session, const ledger::Payment& payment, int status = 200) {
    auto body = to_json(payment);
    json::array attempts;
    for (const auto& attempt : ledger::attempts_of(session, payment.id)) attempts.push_back(to_json(attempt));
    body["attempts"] = std::move(attempts);
    return {std::move(body), status, payment.version};
}

Result<ledger::Payment> meant(Exchange& exchange, store::Session& session) {
    return ledger::find_payment(session, exchange.actor.tenant, exchange.request.path_value("id"));
}

Task<Result<http::Response>> list(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto payments = ledger::list_payments(session, exchange.actor.tenant, paging->after, paging->fetch());
        return page_of(
            *paging, std::move(payments), [](const ledger::Payment& payment) { return to_json(payment); },
            [](const ledger::Payment& payment) { return payment.id.text(); });
    });
}

Task<Result<http::Response>> get(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(payment, meant(exchange, session));
        return told_of(session, payment);
    });
}

Task<Result<http::Response>> make(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    const auto& cashier = *exchange.services.cashier;
    const auto* amount = body.if_contains("amount");
    ledger::PaymentOrder order{*exchange.actor.tenant,
                               InvoiceId(text_at(body, "invoice")),
                               text_at(body, "provider"),
                               text_at(body, "method"),
                               0,
                               text_at(body, "currency")};
    if (amount) order.amount = amount->to_number<std::int64_t>();
    if (auto known = cashier.provider(order.provider); !known) co_return fail(known.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(made, ledger::open_payment(session, order, cashier.desk(), exchange.services.clock.now()));
        return told_of(session, made, 201);
    };
    co_return co_await change(exchange, std::move(work));
}

// Waits for the provider, on a thread of its own. A caller who is gone by then loses nothing: the attempt is a row.
Task<Result<http::Response>> attempt(Exchange& exchange) {
    auto payment = exchange.services.records->read([&](store::Session& session) { return meant(exchange, session); });
    if (!payment) co_return fail(payment.error());
    auto pay = [&cashier = *exchange.services.cashier, id = payment->id] { return cashier.pay(id); };
    auto taken = co_await run_on(exchange.services.outside, std::move(pay));
    if (!taken) co_return fail(taken.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        auto told = told_of(session, taken->payment, 201);
        told.body["for_payer"] = nullptr;
        told.replay = told.body;
        told.body["for_payer"] = text_or_null(taken->for_payer);
        return told;
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> cancel(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(payment, meant(exchange, session));
        ROOTSTOCK_TRY(canceled, ledger::cancel_payment(session, payment.id, exchange.services.clock.now()));
        return told_of(session, canceled);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> confirm(Exchange& exchange) {
    const auto ref = text_at(exchange.body.as_object(), "reference");
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(payment, ledger::find_payment(session, std::nullopt, exchange.request.path_value("id")));
        ROOTSTOCK_TRY(confirmed, exchange.services.cashier->confirm(session, payment, ref));
        return told_of(session, confirmed);
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_payments_routes(Routes& routes) {
    routes.add("GET", "/api/v1/payments", managed(Body::none, list));
    routes.add("POST", "/api/v1/payments", managed(Body::json, make));
    routes.add("GET", "/api/v1/payments/{id}", managed(Body::none, get));
    routes.add("POST", "/api/v1/payments/{id}/attempts", managed(Body::none, attempt));
    routes.add("POST", "/api/v1/payments/{id}/cancel", managed(Body::none, cancel));
    routes.add("POST", "/api/v1/payments/{id}/confirm", managed(Body::json, confirm));
}

}  // namespace rootstock
