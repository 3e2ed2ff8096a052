#include "infer/constrain/schema/number_text.h"

#include <charconv>
#include <cmath>
#include <string>

#include "infer/constrain/network.h"
#include "infer/constrain/schema/json_text.h"

namespace rootstock::constrain {

namespace {

constexpr std::int64_t integer_max = 999'999'999'999'999'999;  // 18 digits
constexpr double decimal_end = 1e15;
constexpr int significant_digits = 15;
constexpr std::size_t fraction_digits_max = 30;
constexpr std::int64_t multiple_max = 2000;

Part digit_between(int low, int high) { return low > high ? never() : characters({{'0' + low, '0' + high}}); }
Part free_digits(int min, int max) { return repeat(digit(), min, std::max(max, min)); }
int digit_at(const std::string& number, std::size_t at) { return number[at] - '0'; }
int left_after(const std::string& number, std::size_t at) { return static_cast<int>(number.size() - at - 1); }

// Texts of as many digits as `low` has from `at` on, at least that; at most `high`.
Part digits_from(const std::string& low, std::size_t at) {
    if (at == low.size()) return nothing();
    const int left = left_after(low, at), here = digit_at(low, at);
    return choice({sequence({digit_between(here, here), digits_from(low, at + 1)}),
                   sequence({digit_between(here + 1, 9), free_digits(left, left)})});
}
Part digits_up_to(const std::string& high, std::size_t at) {
    if (at == high.size()) return nothing();
    const int left = left_after(high, at), here = digit_at(high, at);
    return choice({sequence({digit_between(here, here), digits_up_to(high, at + 1)}),
                   sequence({digit_between(0, here - 1), free_digits(left, left)})});
}

Part digits_between(const std::string& low, const std::string& high, std::size_t at) {
    if (at == low.size()) return nothing();
    const int from = digit_at(low, at), to = digit_at(high, at), left = left_after(low, at);
    if (from == to) return sequence({digit_between(from, from), digits_between(low, high, at + 1)});
    return choice({sequence({digit_between(from, from), digits_from(low, at + 1)}),
                   sequence({digit_between(from + 1, to - 1), free_digits(left, left)}),
                   sequence({digit_between(to, to), digits_up_to(high, at + 1)})});
}

// Whole numbers from `low` to `high`, both at least 0, without leading zeros.
Part whole_between(std::int64_t low, std::int64_t high) {
    std::vector<Part> ways;
    for (std::int64_t power = 1; power <= integer_max; power *= 10) {  // the numbers of as many digits as it has
        const auto from = std::max(low, power == 1 ? 0 : power), to = std::min(high, power * 10 - 1);
        if (from <= to) ways.push_back(digits_between(std::to_string(from), std::to_string(to), 0));
    }
    return choice(std::move(ways));
}

// Digits whose number leaves no rest on division.
Automaton multiples(std::int64_t divisor) {
    Automaton made;
    // State 0: nothing read; 1: a sign read; 2 + r: rest r.
    made.states.resize(static_cast<std::size_t>(divisor) + 2);
    const auto digits = [&](std::size_t from, std::int64_t rest) {
        for (int digit = 0; digit <= 9; ++digit) {
            const auto byte = static_cast<std::uint8_t>('0' + digit);
            made.states[from].bytes.push_back({byte, byte, static_cast<int>(2 + (rest * 10 + digit) % divisor)});
        }
    };
    made.states[0].bytes.push_back({'-', '-', 1});
    for (std::size_t i = 0; i < made.states.size(); ++i) digits(i, i < 2 ? 0 : static_cast<std::int64_t>(i) - 2);
    made.states[2].accepts = true;
    return made;
}

std::int64_t whole_low(const NumberBounds& bounds) {
    if (!bounds.low || bounds.low->value <= -1e18) return -integer_max;
    if (bounds.low->value >= 1e18) return integer_max + 1;
    const double up = std::ceil(bounds.low->value);
    return static_cast<std::int64_t>(up) + (bounds.low->strict && up == bounds.low->value ? 1 : 0);
}
std::int64_t whole_high(const NumberBounds& bounds) {
    if (!bounds.high || bounds.high->value >= 1e18) return integer_max;
    if (bounds.high->value <= -1e18) return -integer_max - 1;
    const double down = std::floor(bounds.high->value);
    return static_cast<std::int64_t>(down) - (bounds.high->strict && down == bounds.high->value ? 1 : 0);
}

// A bound that is not negative, as digits before and behind the point.
struct Decimal {
    std::int64_t whole = 0;
    std::string fraction = {};  // without zeros at its end
    bool strict = false;
};

Decimal decimal(double value, bool strict) {
    char room[400];
    const auto written = std::to_chars(room, room + sizeof room, std::abs(value), std::chars_format::fixed);
    const std::string text(room, written.ptr);
    const auto point = std::min(text.find('.'), text.size());
    auto fraction = point < text.size() ? text.substr(point + 1) : std::string();
    fraction.erase(fraction.find_last_not_of('0') + 1);
    if (fraction.size() > fraction_digits_max)
        refuse(ErrorCode::invalid_argument,
               "a bound of a number has more than " + std::to_string(fraction_digits_max) +
                   " digits behind the point; round it",
               "constraint_unsupported");
    return {std::stoll(text.substr(0, point)), fraction, strict};
}

class Fractions {
public:
    explicit Fractions(std::int64_t greatest_whole)
        : digits_(std::max(1, significant_digits - static_cast<int>(std::to_string(greatest_whole).size()))) {}

    Part any() const { return maybe(sequence({text("."), free_digits(1, digits_)})); }

    Part at_least(const Decimal& bound) const {
        if (!bound.fraction.empty()) return sequence({text("."), from(bound, 0)});
        return bound.strict ? sequence({text("."), more_than_zero()}) : any();
    }
    Part at_most(const Decimal& bound) const {
        if (!bound.fraction.empty()) return maybe(sequence({text("."), up_to(bound, 0)}));
        return bound.strict ? never() : maybe(sequence({text("."), zeros(1)}));
    }

private:
    static Part zeros(int min) { return repeat(text("0"), min, 4); }
    Part more_than_zero() const {
        return sequence({repeat(text("0"), 0, digits_ - 1), digit_between(1, 9), free_digits(0, digits_ - 1)});
    }
    Part from(const Decimal& bound, std::size_t at) const {
        const int here = digit_at(bound.fraction, at);
        Part equal = nothing();
        if (at + 1 < bound.fraction.size())
            equal = from(bound, at + 1);
        else
            equal = bound.strict ? more_than_zero() : free_digits(0, digits_);
        return choice({sequence({digit_between(here + 1, 9), free_digits(0, digits_)}),
                       sequence({digit_between(here, here), equal})});
    }
    Part up_to(const Decimal& bound, std::size_t at) const {
        const int here = digit_at(bound.fraction, at);
        Part equal = nothing();
        if (at + 1 < bound.fraction.size())
            equal = maybe(up_to(bound, at + 1));
        else
            equal = bound.strict ? never() : repeat(text("0"), 0, 4);
        return choice({sequence({digit_between(0, here - 1), free_digits(0, digits_)}),
                       sequence({digit_between(here, here), equal})});
    }
    int digits_;
};

// Numbers that are not negative, from `low` to `high`; without `high` to the longest.
Part decimals_between(const Decimal& low, const std::optional<Decimal>& high, Budget& budget) {
    const auto longest = static_cast<std::int64_t>(decimal_end) - 1;
    const Fractions fractions(high ? high->whole : std::max<std::int64_t>(low.whole, 1));
    const auto from = choice({sequence({whole_between(low.whole + 1, longest), fractions.any()}),
                              sequence({text(std::to_string(low.whole)), fractions.at_least(low)})});
    if (!high) return from;
    const auto to = choice({sequence({whole_between(0, high->whole - 1), fractions.any()}),
                            sequence({text(std::to_string(high->whole)), fractions.at_most(*high)})});
    return automaton(intersection(automaton_of(from, nullptr, budget), automaton_of(to, nullptr, budget), budget));
}

}  // namespace

Part integer_within(const NumberBounds& bounds, Budget& budget) {
    const auto low = whole_low(bounds), high = whole_high(bounds);
    std::vector<Part> ways{whole_between(std::max<std::int64_t>(low, 0), high),
                           sequence({text("-"), whole_between(std::max<std::int64_t>(-high, 1), -low)})};
    auto range = choice(std::move(ways));
    if (!bounds.multiple_of || *bounds.multiple_of == 1) return range;
    const double divisor = *bounds.multiple_of;
    if (divisor != std::floor(divisor) || divisor > static_cast<double>(multiple_max))
        refuse(ErrorCode::invalid_argument,
               "\"multipleOf\" can be compiled for whole numbers up to " + std::to_string(multiple_max) + " only",
               "constraint_unsupported");
    return automaton(
        intersection(automaton_of(range, nullptr, budget), multiples(static_cast<std::int64_t>(divisor)), budget));
}

Part number_within(const NumberBounds& bounds, Budget& budget) {
    const double low = bounds.low ? std::max(bounds.low->value, -decimal_end + 1) : -decimal_end + 1;
    const double high = bounds.high ? std::min(bounds.high->value, decimal_end - 1) : decimal_end - 1;
    const bool low_strict = bounds.low && bounds.low->strict, high_strict = bounds.high && bounds.high->strict;
    std::vector<Part> ways;
    if (high >= 0 && low < decimal_end) {
        const auto from = low > 0 ? decimal(low, low_strict) : Decimal{0, "", low == 0 && low_strict};
        ways.push_back(
            decimals_between(from, bounds.high ? std::optional(decimal(high, high_strict)) : std::nullopt, budget));
    }
    if (low < 0 && high > -decimal_end) {
        const auto from = high < 0 ? decimal(high, high_strict) : Decimal{0, "", true};
        const auto to = bounds.low ? std::optional(decimal(low, low_strict)) : std::nullopt;
        ways.push_back(sequence({text("-"), decimals_between(from, to, budget)}));
    }
    return choice(std::move(ways));
}

}  // namespace rootstock::constrain
