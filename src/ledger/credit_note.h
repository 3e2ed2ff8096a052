#pragma once
// Credit notes: what an issued invoice takes back. An invoice is never edited; together its notes never take back more
// than it says, in the sum, in the tax and in each line, and the last one takes what rounding left, so that a full
// credit is the invoice exactly. A note has a gapless number and never changes.
//
//   offset   off what is still to be paid (open, uncollectible)
//   credit   of what was paid, into customer credit: the next invoices use it up
//   refund   of what was paid with money, back to the customer: owed until settle_refund()

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

struct CreditLine {
    std::int64_t position = 0;  // of the invoice's line, from 1
    std::int64_t amount = 0;    // without tax, minor units
    std::int64_t tax = 0;       // an order leaves it to be computed
};

struct CreditNote {
    std::string id{};
    TenantId tenant{};
    InvoiceId invoice{};
    std::string kind{};
    std::string series{};
    std::int64_t number = 0;
    std::string reason{};
    std::int64_t amount = 0, tax = 0;
    std::string content_sha256{};
    Timestamp issued{};
    std::string refund_ref{};  // the provider's word for the money that went back
    std::optional<Timestamp> refunded{};
    std::vector<CreditLine> lines{};

    std::int64_t total() const { return amount + tax; }
};

struct CreditOrder {
    InvoiceId invoice;
    std::string reason;
    std::string kind{};               // empty: offset while it is to be paid, else credit
    std::vector<CreditLine> lines{};  // none: everything that is left of the invoice
};

// conflict, reason "invoice_state", for a draft or void invoice; invalid_argument, reason "above_invoice", for more
// than the invoice, its line, what is to be paid or what was paid leaves.
Result<CreditNote> issue_credit_note(store::Session& session, const CreditOrder& order, Timestamp now);
// The money of a refund has gone. Told twice under the same name, it is booked once; else conflict.
Result<CreditNote> settle_refund(store::Session& session, const std::string& id, const std::string& provider_ref,
                                 Timestamp now);

// not_found, reason "credit_note_not_found".
Result<CreditNote> find_credit_note(store::Session& session, const std::string& id);
// In the order of their making, with lines. No tenant: of all; empty invoice: of all.
std::vector<CreditNote> credit_notes(store::Session& session, const std::optional<TenantId>& tenant,
                                     const InvoiceId& invoice, const std::string& after, std::int64_t limit);

json::object document_of(const CreditNote& note);

}  // namespace rootstock::ledger
