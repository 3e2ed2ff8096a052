// /api/v1/invoices: drafts, previews, bills and what becomes of them. An id with .pdf or .csv behind it is its paper.

#include "app/routes/management.h"
#include "app/routes/routes.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

using Step = Result<ledger::Invoice> (*)(store::Session&, const InvoiceId&, Timestamp);

Told told_of(const ledger::Invoice& invoice, int status = 200) {
    return {ledger::view_of(invoice), status, invoice.version};
}

Result<std::optional<ledger::InvoiceStatus>> wanted_status(const Exchange& exchange) {
    auto fields = http::parse_query(exchange.request.query);
    if (!fields) return fail(ErrorCode::invalid_argument, fields.error().sentence);
    for (const auto& [name, value] : *fields)
        if (name == "status") return ledger::invoice_status(value);
    return std::nullopt;
}

Task<Result<http::Response>> list_invoices(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    auto status = wanted_status(exchange);
    if (!status) co_return fail(status.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto invoices = ledger::invoices(session, {exchange.actor.tenant, *status, paging->after, paging->fetch()});
        return page_of(*paging, std::move(invoices), ledger::summary_of,
                       [](const ledger::Invoice& invoice) { return invoice.id.text(); });
    });
}

// "inv_1.pdf" -> "inv_1", ".pdf"
struct Wanted {
    std::string id, paper;
};
Wanted wanted_of(std::string id) {
    for (const std::string paper : {".pdf", ".csv"})
        if (id.ends_with(paper)) return {id.substr(0, id.size() - paper.size()), paper};
    return {std::move(id), ""};
}

Result<http::Response> paper_of(const ledger::Invoice& invoice, const std::string& paper) {
    http::Response response;
    response.content_type = paper == ".pdf" ? "application/pdf" : "text/csv; charset=utf-8";
    response.headers.push_back(
        {"Content-Disposition",
         "attachment; filename=\"" + ledger::number_text(invoice.series, invoice.number) + paper + "\""});
    if (paper == ".csv") {
        response.body = bill::csv_of(invoice);
        return response;
    }
    ROOTSTOCK_TRY(pdf, bill::pdf_of(invoice));
    response.body = std::move(pdf);
    return response;
}

Task<Result<http::Response>> get_invoice(Exchange& exchange) {
    const auto wanted = wanted_of(std::string(exchange.request.path_value("id")));
    const auto seen = [&](store::Session& session) {
        return bill::invoice_seen_by(session, exchange.actor.tenant, wanted.id);
    };
    if (wanted.paper.empty())
        co_return look(exchange, [&](store::Session& session) -> Result<Told> {
            ROOTSTOCK_TRY(invoice, seen(session));
            return told_of(invoice);
        });
    auto invoice = exchange.services.records->read(seen);
    if (!invoice) co_return fail(invoice.error());
    co_return paper_of(*invoice, wanted.paper);
}

std::string text(const json::value& body, std::string_view key) { return std::string(body.at(key).as_string()); }

Result<ledger::InvoiceOrder> order_from(store::Session& session, const json::object& body, std::string_view tenant) {
    ROOTSTOCK_TRY(period, ledger::month(body.at("month").as_string()));
    std::vector<bill::WrittenLine> lines;
    if (const auto* given = body.if_contains("lines"))
        for (const auto& line : given->as_array())
            lines.push_back({text(line, "text"), nullable_int(line.as_object(), "quantity").value_or(1),
                             line.at("amount").to_number<std::int64_t>()});
    return bill::order_of(session, tenant, period, lines, nullable_int(body, "due_days").value_or(14));
}

Task<Result<http::Response>> preview_invoice(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(order, order_from(session, exchange.body.as_object(), exchange.actor.tenant->text()));
        ROOTSTOCK_TRY(invoice, ledger::preview(session, order));
        return Told{ledger::view_of(invoice)};
    });
}

Task<Result<http::Response>> draft_invoice(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(order, order_from(session, exchange.body.as_object(), text(exchange.body, "tenant")));
        ROOTSTOCK_TRY(invoice, ledger::draft(session, order, exchange.services.clock.now()));
        return told_of(invoice, 201);
    };
    co_return co_await change(exchange, std::move(work));
}

template <Step step>
Task<Result<http::Response>> take(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(invoice,
                      ledger::find_invoice(session, InvoiceId(std::string(exchange.request.path_value("id")))));
        ROOTSTOCK_CHECKED(expect_version(exchange, invoice.version));
        ROOTSTOCK_TRY(done, step(session, invoice.id, exchange.services.clock.now()));
        return told_of(done);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> pay_invoice(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(paid, ledger::settle_payment(session, InvoiceId(std::string(exchange.request.path_value("id"))),
                                                   exchange.body.at("amount").to_number<std::int64_t>(),
                                                   text(exchange.body, "reference"), exchange.services.clock.now()));
        return told_of(paid);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> remove_draft(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        const InvoiceId id(std::string(exchange.request.path_value("id")));
        ROOTSTOCK_CHECKED(ledger::delete_draft(session, id));
        return Told{json::object{{"id", id.text()}, {"deleted", true}}};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_invoices_routes(Routes& routes) {
    routes.add("GET", "/api/v1/invoices", managed(Body::none, list_invoices));
    routes.add("POST", "/api/v1/invoices", managed(Body::json, draft_invoice));
    routes.add("POST", "/api/v1/invoices/preview", managed(Body::json, preview_invoice));
    routes.add("GET", "/api/v1/invoices/{id}", managed(Body::none, get_invoice));
    routes.add("DELETE", "/api/v1/invoices/{id}", managed(Body::none, remove_draft));
    routes.add("POST", "/api/v1/invoices/{id}/finalize", managed(Body::none, take<ledger::finalize>));
    routes.add("POST", "/api/v1/invoices/{id}/void", managed(Body::none, take<ledger::void_invoice>));
    routes.add("POST", "/api/v1/invoices/{id}/reissue", managed(Body::none, take<ledger::reissue>));
    routes.add("POST", "/api/v1/invoices/{id}/uncollectible", managed(Body::none, take<ledger::mark_uncollectible>));
    routes.add("POST", "/api/v1/invoices/{id}/pay", managed(Body::json, pay_invoice));
}

}  // namespace rootstock
