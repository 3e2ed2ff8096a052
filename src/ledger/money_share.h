#pragma once
// Whole minor units shared out of fractions, so that the shares add up to the rounded sum.

#include <cstdint>
#include <vector>

namespace rootstock::ledger {

// sum(parts) / divisor, rounded half away from zero, once; and each part's share of it by largest remainder: every part
// gets its quotient rounded down, what is then missing goes, a unit each, to the largest remainders, the earlier part
// first where they are equal. Parts may be below zero. {6833, 6833, 5750, 8500} x 20 / 100 -> 5583 = 1367 + 1366 + 1150
// + 1700.
struct Shares {
    std::int64_t total = 0;
    std::vector<std::int64_t> each;  // as many as parts
};
Shares share_out(const std::vector<std::int64_t>& parts, std::int64_t factor, std::int64_t divisor);

}  // namespace rootstock::ledger
