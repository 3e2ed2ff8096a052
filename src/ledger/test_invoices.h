#pragma once
// Invoices in a test's hand: a clock after the month, taxes, manual lines of any amount.

#include "ledger/credit_note.h"
#include "ledger/dunning.h"
#include "ledger/test_books.h"

namespace rootstock::ledger {

class Invoicing : public Books {
protected:
    Invoicing() { clock_.advance(std::chrono::hours(24 * 20)); }  // 2026-12-08

    static ChargeLine line(std::int64_t amount, std::string unit = "hours of help") {
        return {"manual", "", "", 1, std::move(unit), {}, amount, "USD", 2, "{}"};
    }
    Result<Invoice> drafted(const TenantId& tenant, std::vector<ChargeLine> lines = {}) {
        const InvoiceOrder order{tenant, "Acme GmbH", november(), {}, std::move(lines), 14};
        return write([&](store::Session& session) { return draft(session, order, clock_.now()); });
    }
    Result<Invoice> finalized(const InvoiceId& id) {
        return write([&](store::Session& session) { return finalize(session, id, clock_.now()); });
    }
    Invoice issued(const TenantId& tenant, std::vector<ChargeLine> lines = {}) {
        return finalized(drafted(tenant, std::move(lines)).value().id).value();
    }
    Result<Invoice> paid(const InvoiceId& id, std::int64_t amount, const std::string& ref) {
        return write([&](store::Session& session) { return settle_payment(session, id, amount, ref, clock_.now()); });
    }
    Result<Invoice> voided(const InvoiceId& id) {
        return write([&](store::Session& session) { return void_invoice(session, id, clock_.now()); });
    }
    Result<Invoice> given_up(const InvoiceId& id) {
        return write([&](store::Session& session) { return mark_uncollectible(session, id, clock_.now()); });
    }
    Result<CreditNote> credited(const InvoiceId& id, std::vector<CreditLine> lines = {}, std::string kind = "") {
        const CreditOrder order{id, "agreed on the telephone", std::move(kind), std::move(lines)};
        return write([&](store::Session& session) { return issue_credit_note(session, order, clock_.now()); });
    }
    Invoice seen(const InvoiceId& id) {
        return database_->read([&](store::Session& session) { return find_invoice(session, id); }).value();
    }
    std::int64_t credit_of(const TenantId& tenant) {
        return see([&](store::Session& session) { return customer_credit(session, tenant, "USD", 2); });
    }

    // A customer in Germany, where 19 % (or `points`) come on top, or are in the price.
    void tax(const TenantId& tenant, std::int64_t points = 1900, bool inclusive = false) {
        ASSERT_TRUE(write([&](store::Session& session) -> Result<void> {
            ROOTSTOCK_CHECKED(set_billing_details(
                session, tenant, {.name = "Acme GmbH", .address = "Hafenstr. 1\n20359 Hamburg", .country = "DE"},
                clock_.now()));
            ROOTSTOCK_CHECKED(add_tax_rate(
                session,
                {.name = "VAT", .country = "DE", .basis_points = points, .inclusive = inclusive, .starts = {0}},
                clock_.now()));
            return {};
        }));
    }
    void expect_books_in_order() {
        const auto books = verified();
        EXPECT_TRUE(books.problems.empty()) << books.problems.front();
    }
};

}  // namespace rootstock::ledger
