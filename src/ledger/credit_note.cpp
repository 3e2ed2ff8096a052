#include "ledger/credit_note.h"

#include <algorithm>

#include "ledger/invoice_rows.h"

namespace rootstock::ledger {
namespace {

constexpr std::size_t reason_max = 500;

#define NOTE_COLUMNS                                                                                                \
    "id, tenant_id, invoice_id, kind, series, number, reason, amount, tax, content_sha256, issued_at, refund_ref, " \
    "refunded_at"

template <typename... Args>
std::vector<CreditNote> select(store::Session& session, std::string_view sql, const Args&... args) {
    std::vector<CreditNote> notes;
    session.for_each<std::string, TenantId, InvoiceId, std::string, std::string, std::int64_t, std::string,
                     std::int64_t, std::int64_t, std::string, Timestamp, std::string, std::optional<Timestamp>>(
        sql, [&](auto... columns) { notes.push_back({std::move(columns)...}); }, args...);
    for (CreditNote& note : notes)
        session.for_each<std::int64_t, std::int64_t, std::int64_t>(
            "SELECT position, amount, tax FROM credit_note_line WHERE credit_note_id = :note ORDER BY position",
            [&](std::int64_t position, std::int64_t amount, std::int64_t tax) {
                note.lines.push_back({position, amount, tax});
            },
            note.id);
    return notes;
}

std::unexpected<Error> above(const std::string& what, const Invoice& invoice, std::int64_t left) {
    return fail(ErrorCode::invalid_argument,
                "that is more than " + what + " of invoice " + number_text(invoice.series, invoice.number) +
                    " leaves: at most " + minor_text(left, invoice.decimals) + " " + invoice.currency,
                "lines", "above_invoice");
}

// What earlier notes took of an invoice.
struct Taken {
    std::vector<CreditLine> lines;  // one for each line of the invoice
    std::int64_t amount = 0, tax = 0;
    std::int64_t given_back = 0, refunded = 0;  // with tax
};

Taken taken_of(store::Session& session, const Invoice& invoice) {
    Taken taken;
    taken.lines.resize(invoice.lines.size());
    for (const CreditNote& note :
         select(session, "SELECT " NOTE_COLUMNS " FROM credit_note WHERE invoice_id = :invoice", invoice.id)) {
        taken.amount += note.amount;
        taken.tax += note.tax;
        if (note.kind != "offset") taken.given_back += note.total();
        if (note.kind == "refund") taken.refunded += note.total();
        for (const CreditLine& line : note.lines) {
            CreditLine& sum = taken.lines[static_cast<std::size_t>(line.position - 1)];
            sum.amount += line.amount;
            sum.tax += line.tax;
        }
    }
    return taken;
}

std::vector<CreditLine> everything_left(const Invoice& invoice, const Taken& taken) {
    std::vector<CreditLine> lines;
    for (std::size_t i = 0; i < invoice.lines.size(); ++i) {
        const CreditLine rest{static_cast<std::int64_t>(i + 1), invoice.lines[i].amount - taken.lines[i].amount,
                              invoice.lines[i].tax - taken.lines[i].tax};
        if (rest.amount != 0 || rest.tax != 0) lines.push_back(rest);
    }
    return lines;
}

// The tax of part of a line: what is due on all that was credited of it, less what was credited before. Rounding never
// adds up, and the last part takes the rest.
Result<CreditLine> priced(const Invoice& invoice, const Taken& taken, const CreditLine& wanted) {
    if (wanted.position < 1 || wanted.position > static_cast<std::int64_t>(invoice.lines.size()))
        return fail(ErrorCode::invalid_argument, "the invoice has no such line", "lines", "no_such_line");
    const auto at = static_cast<std::size_t>(wanted.position - 1);
    const InvoiceLine& line = invoice.lines[at];
    const CreditLine& before = taken.lines[at];
    if (wanted.amount <= 0)
        return fail(ErrorCode::invalid_argument, "what is credited of a line is above zero", "lines");
    const std::int64_t left = std::max<std::int64_t>(line.amount - before.amount, 0);
    if (wanted.amount > left) return above("line " + std::to_string(wanted.position), invoice, left);
    const std::int64_t due = rate(before.amount + wanted.amount, Micros{line.tax}, line.amount).value;
    return CreditLine{wanted.position, wanted.amount, due - before.tax};
}

Result<std::vector<CreditLine>> lines_for(const Invoice& invoice, const Taken& taken, const CreditOrder& order) {
    if (order.lines.empty()) return everything_left(invoice, taken);
    std::vector<CreditLine> lines;
    for (const CreditLine& wanted : order.lines) {
        for (const CreditLine& other : lines)
            if (other.position == wanted.position)
                return fail(ErrorCode::invalid_argument, "a line stands once on a credit note", "lines");
        ROOTSTOCK_TRY(line, priced(invoice, taken, wanted));
        lines.push_back(line);
    }
    return lines;
}

Result<void> check_sums(const Invoice& invoice, const Taken& taken, const CreditNote& note) {
    if (note.total() <= 0) return above("what is uncredited", invoice, 0);
    if (note.amount > invoice.subtotal - taken.amount)
        return above("the sum", invoice, invoice.subtotal - taken.amount);
    if (note.tax > invoice.tax - taken.tax) return above("the tax", invoice, invoice.tax - taken.tax);
    const std::int64_t received = invoice.paid + std::max<std::int64_t>(invoice.credits, 0) - taken.given_back;
    if (note.kind == "offset" && note.total() > invoice.left())
        return above("what is to be paid", invoice, invoice.left());
    if (note.kind != "offset" && note.total() > received) return above("what was paid", invoice, received);
    const std::int64_t cash = invoice.paid - taken.refunded;
    if (note.kind == "refund" && note.total() > cash) return above("what was paid with money", invoice, cash);
    return {};
}

Result<void> check_order(const Invoice& invoice, const CreditOrder& order) {
    if (invoice.status == InvoiceStatus::draft || invoice.status == InvoiceStatus::voided)
        return illegal(invoice, "credited");
    if (order.reason.empty() || order.reason.size() > reason_max)
        return fail(ErrorCode::invalid_argument, "a credit note says why, in 1 to 500 bytes", "reason");
    if (!order.kind.empty() && order.kind != "offset" && order.kind != "credit" && order.kind != "refund")
        return fail(ErrorCode::invalid_argument, "a credit note is an offset, a credit or a refund", "kind");
    return {};
}

void insert(store::Session& session, const CreditNote& note) {
    session.execute(
        "INSERT INTO credit_note (id, tenant_id, invoice_id, kind, issuer, series, number, reason, amount, tax, "
        "content_sha256, issued_at, refund_ref) VALUES (:id, :tenant, :invoice, :kind, '', :series, :number, :reason, "
        ":amount, :tax, :hash, :now, '')",
        note.id, note.tenant, note.invoice, note.kind, note.series, note.number, note.reason, note.amount, note.tax,
        note.content_sha256, note.issued);
    for (const CreditLine& line : note.lines)
        session.execute(
            "INSERT INTO credit_note_line (credit_note_id, position, amount, tax) VALUES (:note, :position, :amount, "
            ":tax)",
            note.id, line.position, line.amount, line.tax);
}

void book_note(store::Session& session, const Invoice& invoice, const CreditNote& note) {
    Group group(session, invoice, "credit_note", note.id, note.issued);
    const std::string to = note.kind == "offset"   ? group.receivable()
                           : note.kind == "credit" ? group.customer_credit()
                                                   : group.house("refunds");
    group.move(group.house("revenue"), to, note.amount, "credit_revenue");
    group.move(group.house("tax_payable"), to, note.tax, "credit_tax");
}

void take_off(store::Session& session, Invoice& invoice, const CreditNote& note) {
    if (note.kind != "offset") return;
    invoice.offset += note.total();
    if (invoice.left() == 0) invoice.status = InvoiceStatus::paid;
    write_progress(session, invoice, note.issued);
}

}  // namespace

json::object document_of(const CreditNote& note) {
    json::array lines;
    for (const CreditLine& line : note.lines)
        lines.push_back(json::object{{"position", line.position}, {"amount", line.amount}, {"tax", line.tax}});
    return {{"id", note.id},
            {"number", number_text(note.series, note.number)},
            {"tenant", note.tenant.text()},
            {"invoice", note.invoice.text()},
            {"kind", note.kind},
            {"reason", note.reason},
            {"issued_at", to_iso8601(note.issued)},
            {"lines", std::move(lines)},
            {"amount", note.amount},
            {"tax", note.tax},
            {"total", note.total()}};
}

Result<CreditNote> issue_credit_note(store::Session& session, const CreditOrder& order, Timestamp now) {
    ROOTSTOCK_TRY(invoice, find_invoice(session, order.invoice));
    ROOTSTOCK_CHECKED(check_order(invoice, order));
    const Taken taken = taken_of(session, invoice);
    ROOTSTOCK_TRY(lines, lines_for(invoice, taken, order));
    CreditNote note{.id = mint_id("cn", now),
                    .tenant = invoice.tenant,
                    .invoice = invoice.id,
                    .kind = !order.kind.empty()  ? order.kind
                            : invoice.left() > 0 ? "offset"
                                                 : "credit",
                    .series = credit_note_series,
                    .reason = order.reason,
                    .issued = now,
                    .lines = std::move(lines)};
    for (const CreditLine& line : note.lines) {
        note.amount += line.amount;
        note.tax += line.tax;
    }
    ROOTSTOCK_CHECKED(check_sums(invoice, taken, note));
    note.number = next_number(session, credit_note_series);
    Sha256 digest;
    digest.add(json::serialize(document_of(note)));
    note.content_sha256 = digest.hex();
    insert(session, note);
    book_note(session, invoice, note);
    take_off(session, invoice, note);
    return note;
}

Result<CreditNote> find_credit_note(store::Session& session, const std::string& id) {
    auto found = select(session, "SELECT " NOTE_COLUMNS " FROM credit_note WHERE id = :id", id);
    if (found.empty()) return fail(ErrorCode::not_found, "there is no such credit note", "id", "credit_note_not_found");
    return std::move(found.front());
}

Result<CreditNote> settle_refund(store::Session& session, const std::string& id, const std::string& provider_ref,
                                 Timestamp now) {
    ROOTSTOCK_TRY(note, find_credit_note(session, id));
    if (provider_ref.empty()) return fail(ErrorCode::invalid_argument, "a refund needs a name", "provider_ref");
    if (note.refunded && note.refund_ref == provider_ref) return std::move(note);
    if (note.kind != "refund" || note.refunded)
        return fail(ErrorCode::conflict,
                    "credit note " + number_text(note.series, note.number) +
                        (note.refunded ? " is refunded already" : " is no refund but a note of kind " + note.kind),
                    "id", "credit_note_state");
    ROOTSTOCK_TRY(invoice, find_invoice(session, note.invoice));
    session.execute("UPDATE credit_note SET refund_ref = :ref, refunded_at = :now WHERE id = :id", provider_ref, now,
                    id);
    Group group(session, invoice, "credit_note", id, now);
    group.move(group.house("refunds"), group.house("cash_clearing"), note.total(), "refund");
    return find_credit_note(session, id);
}

std::vector<CreditNote> credit_notes(store::Session& session, const std::optional<TenantId>& tenant,
                                     const InvoiceId& invoice, const std::string& after, std::int64_t limit) {
    return select(session,
                  "SELECT " NOTE_COLUMNS
                  " FROM credit_note WHERE (:everybody = 1 OR tenant_id = :only) AND (:any = '' OR invoice_id = "
                  ":invoice) AND id > :after ORDER BY id LIMIT :limit",
                  tenant ? 0 : 1, tenant.value_or(TenantId{}), invoice, invoice, after, limit);
}

}  // namespace rootstock::ledger
