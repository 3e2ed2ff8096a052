#pragma once
// Invoices. A draft is a claim on a period: its lines are computed each time it is looked at, by the same code that
// finalises it, so that a preview is the bill to the cent. Finalising gives it a number (gapless in its series), writes
// down its lines, taxes, customer and issuer as they are now, books what it changes, and makes it open, in one
// transaction; from then on triggers keep what stands on it. It is corrected by credit notes (credit_note.h), or voided
// and written anew.
//
//   draft -> open -> paid | void | uncollectible;   uncollectible -> paid | void;   open with nothing to pay -> paid
//
// Every other step is a `conflict` that names the state, reason "invoice_state". A draft may be deleted; what had a
// number stays.
//
// Amounts are whole minor units of the currency (cents). Usage was booked request by request, exactly; finalising books
// the difference to the invoice's sum, the taxes and the customer credit used, as one linked group of transfers.
// The account "refunds" of a tenant is its customer credit: what the house owes it, and its next invoices use up.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/billing_details.h"
#include "ledger/charges.h"
#include "ledger/period.h"
#include "ledger/tax.h"
#include "store/store.h"

namespace rootstock::ledger {

enum class InvoiceStatus { draft, open, paid, voided, uncollectible };
const char* name(InvoiceStatus status);  // "draft", "open", "paid", "void", "uncollectible"
std::optional<InvoiceStatus> invoice_status(std::string_view name);

// A line as it was charged, and what of that is price and what is tax.
struct InvoiceLine {
    ChargeLine charge;
    Period origin{};          // whose charges() gave it: earlier than the invoice's when it came late
    std::int64_t amount = 0;  // without tax
    std::int64_t tax = 0;
};

// What the ledger had booked request by request for a period, and no earlier invoice claimed.
struct BookedService {
    Period period;
    Micros booked;
};

struct Invoice {
    InvoiceId id{};  // empty: a preview
    TenantId tenant{};
    std::string subscription{};  // empty: the tenant's only one
    std::string kind{};          // "period": what a period costs; "manual": lines that somebody wrote
    std::string series{};        // "INV"
    std::int64_t number = 0;     // 0: none yet
    InvoiceStatus status = InvoiceStatus::draft;
    std::string currency{};
    int decimals = 2;
    Period period{};
    std::optional<Timestamp> issued{}, due{};
    std::int64_t due_days = 14;  // from issue
    std::vector<InvoiceLine> lines{};
    std::vector<TaxLine> taxes{};
    std::vector<BookedService> services{};
    std::int64_t subtotal = 0, tax = 0;
    std::int64_t credits = 0;  // customer credit used; below zero: what went into it, as the sum was below zero
    std::int64_t total = 0;    // subtotal + tax - credits, never below zero
    std::int64_t paid = 0;     // with money
    std::int64_t offset = 0;   // taken off by credit notes of the kind "offset"
    Party issuer{}, customer{};
    std::string replaces{};        // the invoice that was voided for this one
    std::string content_sha256{};  // of document_of()
    std::int64_t version = 1;
    Timestamp created{};

    std::int64_t left() const { return total - paid - offset; }
};

// "INV-000017"; "draft" without a number.
std::string number_text(const std::string& series, std::int64_t number);
// "12.35"
std::string minor_text(std::int64_t amount, int decimals);

// What stands on the paper and never changes, without status and payments: its SHA-256 is `content_sha256`.
json::object document_of(const Invoice& invoice);
// The document with what goes on after it: status, payments, version. And the same without lines, for lists.
json::object view_of(const Invoice& invoice);
json::object summary_of(const Invoice& invoice);

struct InvoiceOrder {
    TenantId tenant;
    std::string customer;  // its name where billing details have none
    Period period;
    std::string subscription{};
    std::vector<ChargeLine> lines{};  // given: a manual invoice of these; none: what the period costs
    std::int64_t due_days = 14;
};

// What finalising would give now; nothing is kept. Errors of charges(); invalid_argument for lines of another currency.
Result<Invoice> preview(store::Session& session, const InvoiceOrder& order);
// Claims the period; conflict, reason "invoice_exists", when a live invoice of that period and kind is there.
Result<Invoice> draft(store::Session& session, const InvoiceOrder& order, Timestamp now);
// draft -> open (or paid, if nothing is to be paid). conflict, reason "period_open", while the period lasts.
Result<Invoice> finalize(store::Session& session, const InvoiceId& invoice, Timestamp now);
// open, uncollectible -> void, while nothing was paid or credited. What it booked is taken back.
Result<Invoice> void_invoice(store::Session& session, const InvoiceId& invoice, Timestamp now);
// void_invoice, and a draft that replaces it, both or neither.
Result<Invoice> reissue(store::Session& session, const InvoiceId& invoice, Timestamp now);
// open -> uncollectible. It stays owed.
Result<Invoice> mark_uncollectible(store::Session& session, const InvoiceId& invoice, Timestamp now);
Result<void> delete_draft(store::Session& session, const InvoiceId& invoice);

// Money came for an invoice. `provider_ref` names it for ever ("bank 2026-11-23 #4711"): told twice, it is booked once.
// Parts are kept; when all is there, open or uncollectible -> paid. What is too much becomes customer credit.
Result<Invoice> settle_payment(store::Session& session, const InvoiceId& invoice, std::int64_t amount,
                               const std::string& provider_ref, Timestamp now);

// not_found, reason "invoice_not_found". A draft's lines are those of now.
Result<Invoice> find_invoice(store::Session& session, const InvoiceId& invoice);

// In the order of their ids, which is that of their making; without lines. No tenant: of all.
struct InvoiceFilter {
    std::optional<TenantId> tenant{};
    std::optional<InvoiceStatus> status{};
    std::string after{};
    std::int64_t limit = 100;
};
std::vector<Invoice> invoices(store::Session& session, const InvoiceFilter& filter);

// What the house owes a tenant, in minor units.
std::int64_t customer_credit(store::Session& session, const TenantId& tenant, const std::string& currency,
                             int decimals);

}  // namespace rootstock::ledger
