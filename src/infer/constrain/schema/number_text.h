#pragma once
// Numbers between bounds, digit by digit: which decimal texts are at least, at most, a multiple of something. Numbers
// with bounds have no exponent, at most 15 digits before the point, and so few behind it that a double tells all of
// them apart.

#include <optional>

#include "infer/constrain/expression.h"

namespace rootstock::constrain {

struct Bound {
    double value = 0;
    bool strict = false;  // the value itself is outside
};

struct NumberBounds {
    std::optional<Bound> low, high;
    std::optional<double> multiple_of;
    bool operator==(const NumberBounds&) const = delete;
    bool none() const { return !low && !high && !multiple_of; }
};

// Whole numbers within bounds; never() where there is none.
Part integer_within(const NumberBounds& bounds, Budget& budget);
// Numbers with or without a fraction. `bounds` has no multiple_of.
Part number_within(const NumberBounds& bounds, Budget& budget);

}  // namespace rootstock::constrain
