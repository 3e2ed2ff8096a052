// Prices with tiers, as an administrator or a file gives them: whatever is read rates without a trap.

#include "input.h"
#include "ledger/rating.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto rating = ledger::parse_rating(fuzz::as_text(data, size), "the price");
    if (!rating) return 0;
    for (const std::int64_t quantity : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999}, ledger::Tier::endless})
        for (const int decimals : {0, 2, 9}) {
            (void)ledger::rated(*rating, quantity, decimals);
            (void)ledger::rated_most(*rating, quantity, decimals);
        }
    ROOTSTOCK_CHECK(*ledger::read_rating(ledger::to_json(*rating), "the price") == *rating, "a price changed in JSON");
    return 0;
}
