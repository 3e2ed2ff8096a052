#pragma once
// The books checked from the ground up: every balance is folded again from its transfers.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

struct Verification {
    std::int64_t accounts = 0, transfers = 0, usage_events = 0, open_reservations = 0;
    std::string digest;                 // SHA-256 over all transfers in order: to compare with an earlier one
    std::vector<std::string> problems;  // sentences, naming account or request; empty: the books balance
};

// Proves, in one snapshot: posted debits and credits of every account equal its transfers; held amounts equal open
// reservations; debits equal credits in each currency; every posted request has one usage event, at most one
// transfer, of the same amount, within its hold; no transfer is without its request; an invoice says what its lines,
// taxes and payments add up to, no credit passes it, and no series lacks a number.
Verification verify(store::Session& session);

}  // namespace rootstock::ledger
