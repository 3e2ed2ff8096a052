#include "base/money.h"

#include "base/check.h"

namespace rootstock {
namespace {

constexpr int micro_digits = 6;

std::int64_t power_of_ten(int exponent) {
    std::int64_t power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
}

__int128 divide_half_away(__int128 numerator, __int128 denominator) {
    __int128 half = denominator / 2;
    // With an odd denominator there is no exact half, so truncation after adding it is right as well.
    return numerator >= 0 ? (numerator + half) / denominator : -((-numerator + half) / denominator);
}

std::int64_t narrow(__int128 value) {
    ROOTSTOCK_CHECK(value <= INT64_MAX && value >= INT64_MIN, "an amount of money outside 64 bits");
    return static_cast<std::int64_t>(value);
}

std::string format_digits(__int128 count, int decimals) {
    bool negative = count < 0;
    __int128 rest = negative ? -count : count;
    std::string text;
    for (int place = 0; place <= decimals || rest > 0; ++place) {
        if (place == decimals && decimals > 0) text.insert(text.begin(), '.');
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
        rest /= 10;
    }
    return negative ? "-" + text : text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Micros operator+(Micros a, Micros b) {
    std::int64_t sum;
    ROOTSTOCK_CHECK(!__builtin_add_overflow(a.value, b.value, &sum), "a sum of money outside 64 bits");
    return {sum};
}

Micros operator-(Micros a, Micros b) {
    std::int64_t difference;
    ROOTSTOCK_CHECK(!__builtin_sub_overflow(a.value, b.value, &difference), "a difference of money outside 64 bits");
    return {difference};
}

Micros rate(std::int64_t quantity, Micros price, std::int64_t per) {
    ROOTSTOCK_CHECK(per > 0, "a price per nothing");
    return {narrow(divide_half_away(static_cast<__int128>(quantity) * price.value, per))};
}

std::string format_exact(Micros amount) { return format_digits(amount.value, micro_digits); }

std::string format_rounded(Micros amount, int decimals) {
    ROOTSTOCK_CHECK(decimals >= 0 && decimals <= micro_digits, "a currency with a strange number of decimals");
    return format_digits(divide_half_away(amount.value, power_of_ten(micro_digits - decimals)), decimals);
}

Result<Micros> parse_micros(std::string_view text) {
    auto refuse = [&] {
        return fail(ErrorCode::invalid_argument, "'" + std::string(text) +
                                                     "' is not an amount: write digits with at most six decimals, "
                                                     "such as 12 or 0.02");
    };
    std::string_view rest = text;
    bool negative = !rest.empty() && rest.front() == '-';
    if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
    auto point = rest.find('.');
    std::string_view whole = rest.substr(0, point);
    std::string_view part = point == std::string_view::npos ? std::string_view{} : rest.substr(point + 1);
    if (whole.empty() || part.size() > micro_digits) return refuse();
    if (point != std::string_view::npos && part.empty()) return refuse();
    std::int64_t value = 0;
    auto append = [&](char c) {
        return is_digit(c) && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, c - '0', &value);
    };
    for (char c : whole)
        if (!append(c)) return refuse();
    for (int i = 0; i < micro_digits; ++i)
        if (!append(i < static_cast<int>(part.size()) ? part[static_cast<std::size_t>(i)] : '0')) return refuse();
    return Micros{negative ? -value : value};
}

}  // namespace rootstock
