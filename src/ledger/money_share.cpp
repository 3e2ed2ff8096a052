#include "ledger/money_share.h"

#include <algorithm>
#include <numeric>

#include "base/base.h"

namespace rootstock::ledger {
namespace {

std::int64_t narrow(__int128 value) {
    ROOTSTOCK_CHECK(value <= INT64_MAX && value >= INT64_MIN, "an amount of money outside 64 bits");
    return static_cast<std::int64_t>(value);
}

__int128 floor_of(__int128 numerator, std::int64_t divisor) {
    const __int128 quotient = numerator / divisor;
    return numerator % divisor < 0 ? quotient - 1 : quotient;
}

}  // namespace

Shares share_out(const std::vector<std::int64_t>& parts, std::int64_t factor, std::int64_t divisor) {
    ROOTSTOCK_CHECK(divisor > 0, "shares of nothing");
    Shares shares;
    std::int64_t sum = 0;
    std::vector<std::int64_t> remainders;
    for (const std::int64_t part : parts) {
        const __int128 product = static_cast<__int128>(part) * factor;
        const __int128 whole = floor_of(product, divisor);
        sum = (Micros{sum} + Micros{part}).value;
        shares.each.push_back(narrow(whole));
        remainders.push_back(narrow(product - whole * divisor));
    }
    shares.total = rate(sum, Micros{factor}, divisor).value;
    std::int64_t missing = shares.total;
    for (const std::int64_t share : shares.each) missing -= share;
    ROOTSTOCK_CHECK(missing >= 0 && missing <= static_cast<std::int64_t>(parts.size()), "shares that do not add up");
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
    for (std::int64_t i = 0; i < missing; ++i) ++shares.each[order[static_cast<std::size_t>(i)]];
    return shares;
}

}  // namespace rootstock::ledger
