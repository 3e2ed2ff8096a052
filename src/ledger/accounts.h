#pragma once
// Accounts and the one door through which transfers enter the books.

#include <optional>
#include <string>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

// The account's id; opens it, with a zero balance, if it is new. `debit_limit`: how far debits may pass credits.
std::string open_account(store::Session& session, const TenantId& tenant, const std::string& kind,
                         const std::string& currency, std::optional<Micros> debit_limit, Timestamp now);

struct Transfer {
    std::string debit, credit;  // account ids
    Micros amount;              // above zero
    std::string currency;
    std::string code;  // "usage"
    std::string ref_type, ref_id;
    std::string group{};     // of linked transfers; empty: its own
    std::string reverses{};  // the transfer that it takes back
};

// Appends the row and moves the credit side's balance; the debit side's balance was moved by the admission or the
// settlement, which decide about it in the same statement.
TransferId append(store::Session& session, const Transfer& transfer, Timestamp now);

// The same where nobody decides: moves both balances.
TransferId book(store::Session& session, const Transfer& transfer, Timestamp now);

std::unexpected<Error> no_books();

}  // namespace rootstock::ledger
