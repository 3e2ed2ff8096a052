// The invoice as the document that is hashed, and the words of its states.

#include <algorithm>
#include <array>
#include <utility>

#include "ledger/invoice.h"
#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

constexpr std::array<std::pair<InvoiceStatus, const char*>, 5> states{
    {{InvoiceStatus::draft, "draft"},
     {InvoiceStatus::open, "open"},
     {InvoiceStatus::paid, "paid"},
     {InvoiceStatus::voided, "void"},
     {InvoiceStatus::uncollectible, "uncollectible"}}};

json::value instant(const std::optional<Timestamp>& at) { return at ? json::value(to_iso8601(*at)) : nullptr; }

json::object line_of(const InvoiceLine& line) {
    const ChargeLine& charge = line.charge;
    return {{"kind", charge.kind},
            {"meter", charge.meter},
            {"model", charge.model},
            {"quantity", charge.quantity},
            {"unit", charge.unit},
            {"service_start", to_iso8601(charge.service.start)},
            {"service_end", to_iso8601(charge.service.end)},
            {"period_start", to_iso8601(line.origin.start)},
            {"charged", charge.amount},
            {"amount", line.amount},
            {"tax", line.tax},
            {"detail", json::parse(charge.detail)}};
}

json::object tax_of(const TaxLine& tax) {
    return {{"rate", tax.rate.id},
            {"name", tax.rate.name},
            {"country", tax.rate.country},
            {"region", tax.rate.region},
            {"basis_points", tax.rate.basis_points},
            {"inclusive", tax.rate.inclusive},
            {"base", tax.base},
            {"amount", tax.amount}};
}

}  // namespace

const char* name(InvoiceStatus status) {
    return std::ranges::find(states, status, &decltype(states)::value_type::first)->second;
}

std::optional<InvoiceStatus> invoice_status(std::string_view name) {
    for (const auto& [status, word] : states)
        if (word == name) return status;
    return std::nullopt;
}

std::string number_text(const std::string& series, std::int64_t number) {
    if (number == 0) return "draft";
    const std::string digits = std::to_string(number);
    return series + "-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

std::string minor_text(std::int64_t amount, int decimals) {
    return format_rounded(rate(amount, Micros{per_minor(decimals)}, 1), decimals);
}

json::object document_of(const Invoice& invoice) {
    json::array lines, taxes;
    for (const InvoiceLine& line : invoice.lines) lines.push_back(line_of(line));
    for (const TaxLine& tax : invoice.taxes) taxes.push_back(tax_of(tax));
    return {{"id", invoice.id.text()},
            {"number", number_text(invoice.series, invoice.number)},
            {"kind", invoice.kind},
            {"tenant", invoice.tenant.text()},
            {"subscription", invoice.subscription},
            {"currency", invoice.currency},
            {"decimals", invoice.decimals},
            {"period_start", to_iso8601(invoice.period.start)},
            {"period_end", to_iso8601(invoice.period.end)},
            {"issued_at", instant(invoice.issued)},
            {"due_at", instant(invoice.due)},
            {"replaces", invoice.replaces},
            {"issuer", to_json(invoice.issuer)},
            {"customer", to_json(invoice.customer)},
            {"lines", std::move(lines)},
            {"taxes", std::move(taxes)},
            {"subtotal", invoice.subtotal},
            {"tax", invoice.tax},
            {"credits", invoice.credits},
            {"total", invoice.total}};
}

json::object view_of(const Invoice& invoice) {
    json::object view = document_of(invoice);
    view["status"] = name(invoice.status);
    view["paid"] = invoice.paid;
    view["offset"] = invoice.offset;
    view["left"] = invoice.left();
    view["due_days"] = invoice.due_days;
    view["content_sha256"] =
        invoice.content_sha256.empty() ? json::value(nullptr) : json::value(invoice.content_sha256);
    view["created_at"] = to_iso8601(invoice.created);
    view["version"] = invoice.version;
    return view;
}

json::object summary_of(const Invoice& invoice) {
    json::object view = view_of(invoice);
    for (const char* key : {"lines", "taxes", "issuer", "customer"}) view.erase(key);
    return view;
}

}  // namespace rootstock::ledger
