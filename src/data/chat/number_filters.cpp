#include <charconv>
#include <cmath>
#include <limits>

#include "data/chat/filters.h"
#include "data/chat/unicode.h"

namespace rootstock::chat {
namespace {

using Given = const GivenArguments&;

// int("..."): blanks around, a sign, digits with single underscores between.
std::optional<std::int64_t> read_whole(std::string_view text, int base) {
    std::string digits(strip_right(strip_left(text)));
    if (digits.starts_with('_') || digits.ends_with('_') || digits.find("__") != std::string::npos) return std::nullopt;
    std::erase(digits, '_');
    std::string_view rest = digits;
    if (rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.empty()) return std::nullopt;
    std::int64_t whole = 0;
    auto read = std::from_chars(rest.data(), rest.data() + rest.size(), whole, base);
    if (read.ec != std::errc() || read.ptr != rest.data() + rest.size()) return std::nullopt;
    return whole;
}

std::optional<double> read_real(std::string_view text) {
    auto rest = strip_right(strip_left(text));
    if (rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.empty()) return std::nullopt;
    double real = 0;
    auto read = std::from_chars(rest.data(), rest.data() + rest.size(), real);
    if (read.ec != std::errc() || read.ptr != rest.data() + rest.size()) return std::nullopt;
    return real;
}

std::optional<std::int64_t> truncated(double real) {
    if (!(std::fabs(real) < 9.2e18)) return std::nullopt;
    return static_cast<std::int64_t>(real);
}

Result<Value> to_whole(Work&, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"default", "base"}));
    ROOTSTOCK_TRY(base, given.whole(1, "base", 10));
    if (base < 2 || base > 36) return fault("the base of int must be 2 to 36");
    if (input.is_undefined()) return fail_undefined(input);
    std::int64_t room = 0;
    if (const auto* whole = input.whole(room)) return Value(*whole);
    std::optional<std::int64_t> read;
    if (const auto* real = input.real()) read = truncated(*real);
    if (const auto* text = input.text()) {
        read = read_whole(*text, static_cast<int>(base));
        if (auto real = read ? std::nullopt : read_real(*text)) read = truncated(*real);
    }
    if (read) return Value(*read);
    const auto* fallback = given.find(0, "default");
    return fallback ? *fallback : Value(std::int64_t{0});
}

Result<Value> to_real(Work&, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"default"}));
    if (input.is_undefined()) return fail_undefined(input);
    if (input.is_number()) return Value(input.as_double());
    if (const auto* text = input.text())
        if (auto real = read_real(*text)) return Value(*real);
    const auto* fallback = given.find(0, "default");
    return fallback ? *fallback : Value(0.0);
}

Result<Value> absolute(Work&, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    if (input.is_undefined()) return fail_undefined(input);
    if (const auto* real = input.real()) return Value(std::fabs(*real));
    std::int64_t whole = 0;
    if (!input.whole(whole)) return fault(fmt::format("abs needs a number, not a {}", input.type_name()));
    if (whole == std::numeric_limits<std::int64_t>::min()) return fault("abs of this number is above 64 bits");
    return Value(whole < 0 ? -whole : whole);
}

// As Python's round: the decimal nearest to the exact binary value, halves to the even digit.
double rounded(double real, int places) {
    if (!std::isfinite(real) || places > 300) return real;
    if (places >= 0) return read_real(fmt::format("{:.{}f}", real, places)).value_or(real);
    double scale = std::pow(10.0, -places);
    return std::isfinite(scale) ? std::nearbyint(real / scale) * scale : 0.0;
}

Result<Value> round_to(Work&, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"precision", "method"}));
    ROOTSTOCK_TRY(places, given.whole(0, "precision", 0));
    ROOTSTOCK_TRY(method, given.text(1, "method", "common"));
    if (input.is_undefined()) return fail_undefined(input);
    if (!input.is_number()) return fault(fmt::format("round needs a number, not a {}", input.type_name()));
    if (places < -300 || places > 300) return fault("the precision of round must be -300 to 300");
    std::int64_t whole = 0;
    if (method == "common" && input.whole(whole) && places >= 0) return Value(whole);
    double real = input.as_double(), scale = std::pow(10.0, static_cast<double>(places));
    if (method == "common") return Value(rounded(real, static_cast<int>(places)));
    if (method != "ceil" && method != "floor") return fault("the method of round must be common, ceil or floor");
    return Value((method == "ceil" ? std::ceil(real * scale) : std::floor(real * scale)) / scale);
}

constexpr NamedFilter table[] = {{"int", to_whole}, {"float", to_real}, {"abs", absolute}, {"round", round_to}};

}  // namespace

std::span<const NamedFilter> number_filters() { return table; }

}  // namespace rootstock::chat
