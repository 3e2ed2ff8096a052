// /api/v1/credit-notes: what issued invoices take back.

#include "app/routes/management.h"
#include "app/routes/routes.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

json::object to_json(const ledger::CreditNote& note) {
    auto view = ledger::document_of(note);
    view["content_sha256"] = note.content_sha256;
    view["refund_reference"] = text_or_null(note.refund_ref);
    view["refunded_at"] = time_or_null(note.refunded);
    return view;
}

Task<Result<http::Response>> list_notes(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto notes = ledger::credit_notes(session, exchange.actor.tenant, {}, paging->after, paging->fetch());
        return page_of(*paging, std::move(notes), to_json, [](const ledger::CreditNote& note) { return note.id; });
    });
}

Task<Result<http::Response>> get_note(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(note, bill::credit_note_seen_by(session, exchange.actor.tenant,
                                                      std::string(exchange.request.path_value("id"))));
        return Told{to_json(note)};
    });
}

ledger::CreditOrder order_from(const json::object& body) {
    ledger::CreditOrder order{InvoiceId(std::string(body.at("invoice").as_string())),
                              std::string(body.at("reason").as_string())};
    if (const auto* kind = body.if_contains("kind")) order.kind = std::string(kind->as_string());
    if (const auto* lines = body.if_contains("lines"))
        for (const auto& line : lines->as_array())
            order.lines.push_back(
                {line.at("position").to_number<std::int64_t>(), line.at("amount").to_number<std::int64_t>()});
    return order;
}

Task<Result<http::Response>> issue_note(Exchange& exchange) {
    const auto order = order_from(exchange.body.as_object());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(note, ledger::issue_credit_note(session, order, exchange.services.clock.now()));
        return Told{to_json(note), 201};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_credit_notes_routes(Routes& routes) {
    routes.add("GET", "/api/v1/credit-notes", managed(Body::none, list_notes));
    routes.add("POST", "/api/v1/credit-notes", managed(Body::json, issue_note));
    routes.add("GET", "/api/v1/credit-notes/{id}", managed(Body::none, get_note));
}

}  // namespace rootstock
