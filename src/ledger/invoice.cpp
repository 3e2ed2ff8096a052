// The steps of an invoice's life. Each reads the invoice, asks whether its state allows the step, books, writes.

#include "ledger/invoice.h"

#include <algorithm>

#include "ledger/calendar.h"
#include "ledger/invoice_rows.h"
#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

constexpr std::int64_t due_days_max = 365;
constexpr std::size_t lines_max = 1000;

Result<void> check(const InvoiceOrder& order, const std::string& currency) {
    if (order.period.end <= order.period.start)
        return fail(ErrorCode::invalid_argument, "a period ends after it has begun", "period_end");
    if (order.due_days < 0 || order.due_days > due_days_max)
        return fail(ErrorCode::invalid_argument, "an invoice is due within 0 to 365 days", "due_days");
    if (order.lines.size() > lines_max)
        return fail(ErrorCode::invalid_argument, "an invoice has at most 1000 lines of its own", "lines");
    for (const ChargeLine& line : order.lines)
        if (line.currency != currency)
            return fail(ErrorCode::invalid_argument,
                        "the books are in " + currency + ", so a line in " + line.currency + " cannot stand there",
                        "currency");
    return {};
}

Result<Invoice> shaped(store::Session& session, const InvoiceOrder& order) {
    ROOTSTOCK_TRY(books, balance(session, order.tenant));
    ROOTSTOCK_TRY(decimals, minor_decimals(books.currency));
    ROOTSTOCK_CHECKED(check(order, books.currency));
    Invoice invoice{.tenant = order.tenant,
                    .subscription = order.subscription,
                    .kind = order.lines.empty() ? "period" : "manual",
                    .series = invoice_series,
                    .currency = books.currency,
                    .decimals = decimals,
                    .period = order.period,
                    .due_days = order.due_days};
    invoice.customer.name = order.customer;
    for (ChargeLine line : order.lines) {
        line.kind = "manual";
        line.service = order.period;
        line.decimals = decimals;
        invoice.lines.push_back({std::move(line), order.period, 0, 0});
    }
    return invoice;
}

Result<void> expect_free(store::Session& session, const Invoice& invoice) {
    const auto other = session.first<std::string, std::string>(
        "SELECT id, status FROM invoice WHERE tenant_id = :tenant AND subscription_id = :subscription AND "
        "period_start = :start AND kind = 'period' AND status <> 'void'",
        invoice.tenant, invoice.subscription, invoice.period.start);
    if (!other || invoice.kind != "period") return {};
    return fail(ErrorCode::conflict,
                "this period has an invoice, " + std::get<0>(*other) + ", which is " + std::get<1>(*other), "period",
                "invoice_exists");
}

Result<Invoice> keep_draft(store::Session& session, Invoice invoice, Timestamp now) {
    ROOTSTOCK_CHECKED(expect_free(session, invoice));
    invoice.id = mint<InvoiceTag>(now);
    insert_draft(session, invoice, now);
    return find_invoice(session, invoice.id);
}

std::string digest_of(const Invoice& invoice) {
    Sha256 digest;
    digest.add(json::serialize(document_of(invoice)));
    return digest.hex();
}

bool takes_money(const Invoice& invoice) {
    return invoice.status == InvoiceStatus::open || invoice.status == InvoiceStatus::uncollectible;
}

// What came before under the same name, if it was the same.
Result<bool> known_payment(store::Session& session, const Invoice& invoice, std::int64_t amount,
                           const std::string& provider_ref) {
    const auto before = session.first<InvoiceId, std::int64_t>(
        "SELECT invoice_id, amount FROM invoice_payment WHERE provider_ref = :ref", provider_ref);
    if (!before) return false;
    if (std::get<0>(*before) == invoice.id && std::get<1>(*before) == amount) return true;
    return fail(ErrorCode::conflict, "this payment is booked already, for another invoice or amount", "provider_ref",
                "payment_mismatch");
}

void book_payment(store::Session& session, const Invoice& invoice, std::int64_t applied, std::int64_t excess,
                  const std::string& provider_ref, Timestamp now) {
    session.execute(
        "INSERT INTO invoice_payment (provider_ref, invoice_id, amount, applied, booked_at) VALUES (:ref, :invoice, "
        ":amount, :applied, :now)",
        provider_ref, invoice.id, applied + excess, applied, now);
    Group group(session, invoice, "payment", provider_ref, now);
    group.move(group.house("cash_clearing"), group.receivable(), applied, "payment");
    group.move(group.house("cash_clearing"), group.customer_credit(), excess, "payment_excess");
}

}  // namespace

std::unexpected<Error> illegal(const Invoice& invoice, const std::string& step) {
    return fail(ErrorCode::conflict,
                "invoice " + number_text(invoice.series, invoice.number) + " is " + name(invoice.status) +
                    " and cannot be " + step,
                "id", "invoice_state");
}

Result<Invoice> preview(store::Session& session, const InvoiceOrder& order) {
    ROOTSTOCK_TRY(invoice, shaped(session, order));
    ROOTSTOCK_CHECKED(compute(session, invoice));
    return std::move(invoice);
}

Result<Invoice> draft(store::Session& session, const InvoiceOrder& order, Timestamp now) {
    ROOTSTOCK_TRY(invoice, shaped(session, order));
    return keep_draft(session, std::move(invoice), now);
}

Result<Invoice> finalize(store::Session& session, const InvoiceId& id, Timestamp now) {
    ROOTSTOCK_TRY(invoice, find_invoice(session, id));
    if (invoice.status != InvoiceStatus::draft) return illegal(invoice, "finalized");
    if (invoice.kind == "period" && invoice.period.end > now)
        return fail(
            ErrorCode::conflict,
            "the period lasts until " + to_iso8601(invoice.period.end) + ": its invoice stays a draft until then", "id",
            "period_open");
    invoice.number = next_number(session, invoice_series);
    invoice.issued = now;
    invoice.due = Timestamp{now.micros + invoice.due_days * micros_per_day};
    invoice.status = InvoiceStatus::open;
    invoice.content_sha256 = digest_of(invoice);
    write_issued(session, invoice);
    book_issued(session, invoice, now);
    if (invoice.left() == 0) {
        invoice.status = InvoiceStatus::paid;
        write_progress(session, invoice, now);
    }
    return find_invoice(session, id);
}

Result<Invoice> void_invoice(store::Session& session, const InvoiceId& id, Timestamp now) {
    ROOTSTOCK_TRY(invoice, find_invoice(session, id));
    if (!takes_money(invoice)) return illegal(invoice, "voided");
    const auto notes = session.value<std::int64_t>("SELECT COUNT(*) FROM credit_note WHERE invoice_id = :invoice", id);
    if (invoice.paid > 0 || notes > 0)
        return fail(ErrorCode::conflict,
                    "invoice " + number_text(invoice.series, invoice.number) + " is " + name(invoice.status) +
                        " and partly paid or credited: credit the rest instead of voiding it",
                    "id", "invoice_state");
    book_void(session, invoice, now);
    invoice.status = InvoiceStatus::voided;
    write_progress(session, invoice, now);
    return find_invoice(session, id);
}

Result<Invoice> reissue(store::Session& session, const InvoiceId& id, Timestamp now) {
    ROOTSTOCK_TRY(old, void_invoice(session, id, now));
    Invoice next{.tenant = old.tenant,
                 .subscription = old.subscription,
                 .kind = old.kind,
                 .series = old.series,
                 .currency = old.currency,
                 .decimals = old.decimals,
                 .period = old.period,
                 .due_days = old.due_days,
                 .lines = old.lines,
                 .customer = old.customer,
                 .replaces = old.id.text()};
    return keep_draft(session, std::move(next), now);
}

Result<Invoice> mark_uncollectible(store::Session& session, const InvoiceId& id, Timestamp now) {
    ROOTSTOCK_TRY(invoice, find_invoice(session, id));
    if (invoice.status != InvoiceStatus::open) return illegal(invoice, "marked uncollectible");
    invoice.status = InvoiceStatus::uncollectible;
    write_progress(session, invoice, now);
    return find_invoice(session, id);
}

Result<void> delete_draft(store::Session& session, const InvoiceId& id) {
    ROOTSTOCK_TRY(invoice, find_invoice(session, id));
    if (invoice.status != InvoiceStatus::draft) return illegal(invoice, "deleted");
    session.execute("DELETE FROM invoice WHERE id = :id", id);
    return {};
}

Result<Invoice> settle_payment(store::Session& session, const InvoiceId& id, std::int64_t amount,
                               const std::string& provider_ref, Timestamp now) {
    ROOTSTOCK_TRY(invoice, find_invoice(session, id));
    if (amount <= 0) return fail(ErrorCode::invalid_argument, "a payment is above zero", "amount");
    if (provider_ref.empty() || provider_ref.size() > 255)
        return fail(ErrorCode::invalid_argument, "a payment is named in 1 to 255 bytes", "provider_ref");
    ROOTSTOCK_TRY(known, known_payment(session, invoice, amount, provider_ref));
    if (known) return std::move(invoice);
    if (!takes_money(invoice)) return illegal(invoice, "paid");
    const std::int64_t applied = std::min(amount, invoice.left());
    book_payment(session, invoice, applied, amount - applied, provider_ref, now);
    invoice.paid += applied;
    if (invoice.left() == 0) invoice.status = InvoiceStatus::paid;
    write_progress(session, invoice, now);
    return find_invoice(session, id);
}

}  // namespace rootstock::ledger
