#include "ledger/accounts.h"
#include "ledger/invoice_rows.h"
#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

Micros booked_before(const Invoice& invoice) {
    Micros sum;
    for (const BookedService& service : invoice.services) sum = sum + service.booked;
    return sum;
}

// What grants paid is a line of the invoice, but it left the receivable when they were given.
std::int64_t granted_before(const Invoice& invoice) {
    std::int64_t sum = 0;
    for (const InvoiceLine& line : invoice.lines)
        if (line.charge.kind == "credit") sum -= line.charge.amount;
    return sum;
}

}  // namespace

Group::Group(store::Session& session, const Invoice& invoice, std::string ref_type, std::string ref_id, Timestamp now)
    : session_(session),
      invoice_(invoice),
      group_(mint_id("grp", now)),
      ref_type_(std::move(ref_type)),
      ref_id_(std::move(ref_id)),
      now_(now) {}

std::string Group::receivable() {
    return open_account(session_, invoice_.tenant, "receivable", invoice_.currency, std::nullopt, now_);
}
std::string Group::customer_credit() {
    return open_account(session_, invoice_.tenant, "refunds", invoice_.currency, std::nullopt, now_);
}
std::string Group::house(const std::string& kind) {
    return open_account(session_, TenantId(), kind, invoice_.currency, std::nullopt, now_);
}

void Group::move(const std::string& debit, const std::string& credit, std::int64_t amount, const std::string& code) {
    move_exact(debit, credit, rate(amount, Micros{per_minor(invoice_.decimals)}, 1), code);
}

void Group::move_exact(const std::string& debit, const std::string& credit, Micros amount, const std::string& code) {
    if (amount.value == 0) return;
    const bool forward = amount.value > 0;
    book(session_,
         {forward ? debit : credit, forward ? credit : debit, forward ? amount : Micros{} - amount, invoice_.currency,
          code, ref_type_, ref_id_, group_},
         now_);
}

// Usage is in receivable and revenue already, to the millionth: what is booked here makes it the invoice's sum.
void book_issued(store::Session& session, const Invoice& invoice, Timestamp now) {
    Group group(session, invoice, "invoice", invoice.id.text(), now);
    const Micros earned = rate(invoice.subtotal + granted_before(invoice), Micros{per_minor(invoice.decimals)}, 1);
    group.move_exact(group.receivable(), group.house("revenue"), earned - booked_before(invoice), "invoice_revenue");
    group.move(group.receivable(), group.house("tax_payable"), invoice.tax, "invoice_tax");
    group.move(group.customer_credit(), group.receivable(), invoice.credits, "invoice_credit");
}

void book_void(store::Session& session, const Invoice& invoice, Timestamp now) {
    const auto group = mint_id("grp", now);
    for (const auto& [id, debit, credit, amount, code] :
         session.query<std::string, std::string, std::string, Micros, std::string>(
             "SELECT id, debit_account, credit_account, amount, code FROM ledger_transfer WHERE ref_id = :invoice AND "
             "ref_type = 'invoice' ORDER BY id",
             invoice.id))
        book(session,
             {credit, debit, amount, invoice.currency, "void_" + code, "invoice", invoice.id.text(), group, id}, now);
}

std::int64_t customer_credit(store::Session& session, const TenantId& tenant, const std::string& currency,
                             int decimals) {
    const auto row = session.first<Micros>(
        "SELECT b.posted_cr - b.posted_dr FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id "
        "WHERE a.tenant_id = :tenant AND a.kind = 'refunds' AND a.currency = :currency",
        tenant, currency);
    return row ? std::get<0>(*row).value / per_minor(decimals) : 0;
}

}  // namespace rootstock::ledger
