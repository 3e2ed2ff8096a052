#pragma once
// What a quantity costs: pure functions over integers.
//
// A unit's price is in billionths of the currency's major unit (nano) per million units, so that 0.0375 USD per million
// tokens is 37,500,000. A line adds up its whole quantity first, is multiplied in 128 bits, and is rounded once, half
// away from zero. The same price and quantity give the same amount for ever; tests/rating holds that against exact
// fractions.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::ledger {

enum class RatingMode {
    flat,       // nano_flat of the first tier for a period, whatever was used
    per_unit,   // every unit at the first tier's price
    graduated,  // each unit at the price of the tier it falls into; a tier's nano_flat once it is entered
    volume,     // all units at the price of the tier that the whole quantity falls into, and its nano_flat once
    package,    // nano_flat of the first tier for every begun package
};
const char* name(RatingMode mode);

struct Tier {
    static constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();
    std::int64_t up_to = endless;       // the last unit of the tier, counted from 1; the last tier is endless
    std::int64_t nano_per_million = 0;  // nano-major-units per million units
    std::int64_t nano_flat = 0;         // nano-major-units
    auto operator<=>(const Tier&) const = default;
};

struct Rating {
    RatingMode mode = RatingMode::per_unit;
    std::vector<Tier> tiers{Tier{}};
    std::int64_t package = 1;       // units in a package
    std::int64_t included = 0;      // units of a period that cost nothing; tiers and packages count those beyond them
    std::int64_t nano_minimum = 0;  // a period costs this at least
    auto operator<=>(const Rating&) const = default;

    // Does a quantity cost the same however it is divided among requests (but for rounding)?
    bool linear() const { return mode == RatingMode::per_unit && included == 0 && nano_minimum == 0; }
};

// `amount` for every `per` units, as a price of one tier. invalid_argument when that is no whole number of nano.
Result<Rating> unit_rating(Micros amount, std::int64_t per);

// invalid_argument, naming the rule: a number below zero, tiers that do not rise or have an end, more than 32 of them,
// or several where one counts. A volume price must not rise from tier to tier: one more unit would raise the price of
// all that were used before, and no hold could cover that.
Result<void> check_rating(const Rating& rating);

// What `quantity` costs in a period, in units of 10^-decimals of the major unit (2: cents, 6: micro-units), rounded
// once, half away from zero. invalid_argument, reason "amount_too_large", when it does not fit 64 bits. The rating is a
// checked one, the quantity not below zero, decimals 0 to 9.
Result<std::int64_t> rated(const Rating& rating, std::int64_t quantity, int decimals);

// The most that `quantity` further units may add to a period, whatever was used before; the minimum and a flat price
// are not in it, which do not depend on use. The same units and error as rated().
Result<std::int64_t> rated_most(const Rating& rating, std::int64_t quantity, int decimals);

// {"mode", "tiers": [{"up_to", "nano_per_million", "nano_flat"}], "package", "included", "nano_minimum"}: what is kept
// in the books and told by the API. up_to is null for the endless tier; what is at its default may be left out when
// read.
json::object to_json(const Rating& rating);
Result<Rating> read_rating(const json::value& value, std::string_view what);  // checked
Result<Rating> parse_rating(std::string_view text, std::string_view what);    // the same from text

}  // namespace rootstock::ledger
