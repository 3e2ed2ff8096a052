#pragma once
// The ledger's own: invoices as rows, and their steps into the books.

#include "ledger/invoice.h"

namespace rootstock::ledger {

// `series` of invoices and of credit notes, `issuer` the house.
inline constexpr const char* invoice_series = "INV";
inline constexpr const char* credit_note_series = "CN";

// The series' next number. It rolls back with the transaction that took it, so that none is ever missing.
std::int64_t next_number(store::Session& session, const char* series);

// Computes what the invoice says from the books as they are now: lines, taxes, sums, parties.
Result<void> compute(store::Session& session, Invoice& invoice);

void insert_draft(store::Session& session, const Invoice& invoice, Timestamp now);
// The invoice as it was finalised: its row, lines, taxes and services. `invoice` has everything but the version.
void write_issued(store::Session& session, const Invoice& invoice);
// The next status and what was paid; the version goes up.
void write_progress(store::Session& session, const Invoice& invoice, Timestamp now);

std::unexpected<Error> illegal(const Invoice& invoice, const std::string& step);

// ---- the books ----

// Linked transfers of one step. Amounts are minor units; zero books nothing, and below zero it books the other way.
class Group {
public:
    Group(store::Session& session, const Invoice& invoice, std::string ref_type, std::string ref_id, Timestamp now);
    void move(const std::string& debit, const std::string& credit, std::int64_t amount, const std::string& code);
    void move_exact(const std::string& debit, const std::string& credit, Micros amount, const std::string& code);

    std::string receivable();  // account ids
    std::string customer_credit();
    std::string house(const std::string& kind);

private:
    store::Session& session_;
    const Invoice& invoice_;
    std::string group_, ref_type_, ref_id_;
    Timestamp now_;
};

void book_issued(store::Session& session, const Invoice& invoice, Timestamp now);
void book_void(store::Session& session, const Invoice& invoice, Timestamp now);

}  // namespace rootstock::ledger
