#include "flow/invoicing.h"

namespace rootstock::bill {

Result<ledger::InvoiceOrder> order_of(store::Session& session, std::string_view tenant, const ledger::Period& period,
                                      const std::vector<WrittenLine>& lines, std::int64_t due_days) {
    ROOTSTOCK_TRY(found, tenant::find(session, tenant));
    ROOTSTOCK_TRY(books, ledger::balance(session, found.id));
    ROOTSTOCK_TRY(decimals, ledger::minor_decimals(books.currency));
    ledger::InvoiceOrder order{found.id, found.name, period};
    order.due_days = due_days;
    for (const WrittenLine& line : lines)
        order.lines.push_back({.kind = "manual",
                               .meter = "",
                               .model = "",
                               .quantity = line.quantity,
                               .unit = line.text,
                               .service = period,
                               .amount = line.amount,
                               .currency = books.currency,
                               .decimals = decimals});
    return order;
}

Result<ledger::Invoice> invoice_seen_by(store::Session& session, const std::optional<TenantId>& tenant,
                                        const std::string& id) {
    ROOTSTOCK_TRY(invoice, ledger::find_invoice(session, InvoiceId(id)));
    if (tenant && *tenant != invoice.tenant) return ledger::find_invoice(session, InvoiceId());
    return std::move(invoice);
}

Result<ledger::CreditNote> credit_note_seen_by(store::Session& session, const std::optional<TenantId>& tenant,
                                               const std::string& id) {
    ROOTSTOCK_TRY(note, ledger::find_credit_note(session, id));
    if (tenant && *tenant != note.tenant) return ledger::find_credit_note(session, "");
    return std::move(note);
}

}  // namespace rootstock::bill
