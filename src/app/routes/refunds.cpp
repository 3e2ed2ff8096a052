// /api/v1/refunds: money that goes back. And POST /hooks/stripe, where Stripe tells what happened.

#include <boost/asio/post.hpp>

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

std::string text_at(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value ? std::string(value->as_string()) : std::string();
}

json::object to_json(const ledger::Refund& refund) {
    return {{"id", refund.id.text()},
            {"tenant", refund.tenant.text()},
            {"payment", refund.payment.text()},
            {"amount", refund.amount},
            {"reason", refund.reason},
            {"credit_note", text_or_null(refund.credit_note)},
            {"state", ledger::name(refund.state)},
            {"provider_ref", text_or_null(refund.ref)},
            {"error", text_or_null(refund.error)},
            {"created_at", to_iso8601(refund.created)}};
}

Task<Result<http::Response>> list(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto refunds = ledger::list_refunds(session, exchange.actor.tenant, paging->after, paging->fetch());
        return page_of(
            *paging, std::move(refunds), [](const ledger::Refund& refund) { return to_json(refund); },
            [](const ledger::Refund& refund) { return refund.id.text(); });
    });
}

Task<Result<http::Response>> get(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(refund, ledger::find_refund(session, exchange.actor.tenant, exchange.request.path_value("id")));
        return Told{to_json(refund)};
    });
}

// The refund is written down with its answer, so that a repetition never makes a second one; then it is sent. What
// became of it is seen by looking at it, or told by a webhook.
Task<Result<http::Response>> make(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    const auto reason = text_at(body, "reason"), note = text_at(body, "credit_note");
    const auto amount = body.at("amount").to_number<std::int64_t>();
    ledger::RefundId id;
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(payment, ledger::find_payment(session, std::nullopt, text_at(body, "payment")));
        ROOTSTOCK_TRY(made,
                      ledger::open_refund(session, payment.id, amount, reason, note, exchange.services.clock.now()));
        id = made.id;
        return Told{to_json(made), 201};
    };
    auto response = co_await change(exchange, std::move(work));
    if (response)
        boost::asio::post(exchange.services.outside, [&cashier = *exchange.services.cashier, id] {
            if (auto done = cashier.give_back(id); !done) spdlog::warn("refund: {}", done.error().message);
        });
    co_return response;
}

Task<Result<http::Response>> confirm(Exchange& exchange) {
    const auto ref = text_at(exchange.body.as_object(), "reference");
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(refund, ledger::find_refund(session, std::nullopt, exchange.request.path_value("id")));
        ROOTSTOCK_TRY(confirmed, exchange.services.cashier->confirm(session, refund, ref));
        return Told{to_json(confirmed)};
    };
    co_return co_await change(exchange, std::move(work));
}

// Signed over the bytes as they came, so the body is not parsed before.
Task<Result<http::Response>> stripe(Exchange& exchange) {
    auto take = [&cashier = *exchange.services.cashier,
                 signature = std::string(exchange.request.header("Stripe-Signature").value_or("")),
                 body = exchange.request.body] { return cashier.take_notice("stripe", signature, body); };
    auto taken = co_await run_on(exchange.services.outside, std::move(take));
    if (!taken && taken.error().reason == "provider_not_found")
        co_return fail(ErrorCode::not_found, "nothing is served under this path; see api/openapi.yaml", {},
                       "unknown_url");
    if (!taken) co_return fail(taken.error());
    co_return json_response(json::object{{"received", true}});
}

}  // namespace

void add_refunds_routes(Routes& routes) {
    routes.add("GET", "/api/v1/refunds", managed(Body::none, list));
    routes.add("POST", "/api/v1/refunds", managed(Body::json, make));
    routes.add("GET", "/api/v1/refunds/{id}", managed(Body::none, get));
    routes.add("POST", "/api/v1/refunds/{id}/confirm", managed(Body::json, confirm));
}

void add_hooks_routes(Routes& routes) {
    routes.add("POST", "/hooks/stripe", {Access::open, Body::none, stripe, Dialect::details});
}

}  // namespace rootstock
