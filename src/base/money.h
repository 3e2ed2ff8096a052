#pragma once
// Money and prices in integers. An amount is a count of micro-units: millionths of the currency's major unit
// (1.50 USD = 1,500,000). Nothing about money is ever a floating-point number.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rootstock {

struct Micros {
    std::int64_t value = 0;
    auto operator<=>(const Micros&) const = default;
};

// Sum and difference; overflow is our own fault and asserts.
Micros operator+(Micros a, Micros b);
Micros operator-(Micros a, Micros b);

// quantity x price / per, rounded half away from zero, computed in 128 bits; overflow asserts.
// The price of `quantity` tokens at `price` micro-units per thousand is rate(quantity, price, 1000).
Micros rate(std::int64_t quantity, Micros price, std::int64_t per);

// "1.500000" -> all six decimals; format_rounded gives the minor unit, half away from zero: "1.50".
std::string format_exact(Micros amount);
std::string format_rounded(Micros amount, int decimals = 2);

// Reads "12", "12.5", "0.000001", with an optional sign; refuses more than six decimals and anything else.
Result<Micros> parse_micros(std::string_view text);

}  // namespace rootstock
