#include "data/chat/arithmetic.h"

#include <cmath>
#include <limits>

#include "data/chat/text_methods.h"

namespace rootstock::chat {
namespace {

std::unexpected<Error> too_big() {
    return fail(ErrorCode::unsupported, "a whole number grows above 64 bits; use smaller numbers", {},
                "chat_template_fault");
}

std::int64_t floor_division(std::int64_t left, std::int64_t right) {
    std::int64_t whole = left / right;
    return left % right != 0 && (left < 0) != (right < 0) ? whole - 1 : whole;
}

Result<Value> power_of(std::int64_t base, std::int64_t exponent) {
    if (exponent < 0) {
        if (base == 0) return fault("0 has no negative power");
        return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
    if (base == 0 || base == 1) return Value(exponent == 0 ? std::int64_t{1} : base);
    if (base == -1) return Value(exponent % 2 == 0 ? std::int64_t{1} : base);
    std::int64_t made = 1;
    for (; exponent > 0; --exponent)
        if (__builtin_mul_overflow(made, base, &made)) return too_big();
    return Value(made);
}

Result<Value> calculate_whole(std::string_view sign, std::int64_t left, std::int64_t right) {
    std::int64_t made = 0;
    bool overflow = false;
    if (sign == "+")
        overflow = __builtin_add_overflow(left, right, &made);
    else if (sign == "-")
        overflow = __builtin_sub_overflow(left, right, &made);
    else if (sign == "*")
        overflow = __builtin_mul_overflow(left, right, &made);
    else if (sign == "**")
        return power_of(left, right);
    else if (right == 0)
        return fault("a number cannot be divided by 0; test it first");
    else if (sign == "/")
        return Value(static_cast<double>(left) / static_cast<double>(right));
    else if (right == -1)  // the least number has no positive twin
        overflow = sign == "//" && __builtin_sub_overflow(std::int64_t{0}, left, &made);
    else
        made = sign == "//" ? floor_division(left, right) : left - floor_division(left, right) * right;
    return overflow ? Result<Value>(too_big()) : Value(made);
}

Result<Value> calculate_real(std::string_view sign, double left, double right) {
    if (sign == "+") return Value(left + right);
    if (sign == "-") return Value(left - right);
    if (sign == "*") return Value(left * right);
    if (sign == "**") {
        double made = std::pow(left, right);
        if (std::isnan(made) && !std::isnan(left) && !std::isnan(right)) return fault("this power is no real number");
        return Value(made);
    }
    if (right == 0.0) return fault("a number cannot be divided by 0; test it first");
    if (sign == "/") return Value(left / right);
    double rest = std::fmod(left, right);
    if (rest != 0.0 && (rest < 0) != (right < 0)) rest += right;
    return Value(sign == "%" ? rest : std::round((left - rest) / right));
}

Result<Value> repeated(Work& work, const Value& value, std::int64_t times) {
    auto count = static_cast<std::size_t>(std::max<std::int64_t>(0, times));
    if (const auto* text = value.text()) {
        if (!text->empty() && count > work.limits().output_bytes_max / text->size())
            ROOTSTOCK_CHECKED(work.handle(work.limits().output_bytes_max + 1));
        std::string made;
        if (!text->empty())
            for (std::size_t i = 0; i < count; ++i) made += *text;
        ROOTSTOCK_CHECKED(work.spend(made.size() / 16));
        return Value(std::move(made));
    }
    const auto& items = value.list()->items;
    std::vector<Value> made;
    if (!items.empty())
        for (std::size_t i = 0; i < count; ++i) {
            ROOTSTOCK_CHECKED(work.spend(items.size()));
            made.insert(made.end(), items.begin(), items.end());
        }
    return make_list(std::move(made), value.list()->kind);
}

bool repeats(const Value& value) { return value.text() || value.list(); }

}  // namespace

Result<Value> calculate(Work& work, std::string_view sign, const Value& left, const Value& right) {
    std::int64_t a = 0, b = 0;
    if (sign == "%" && left.text()) return percent_format(work, *left.text(), right);
    if (left.is_undefined()) return fail_undefined(left);
    if (right.is_undefined()) return fail_undefined(right);
    if (left.whole(a) && right.whole(b)) return calculate_whole(sign, a, b);
    if (left.is_number() && right.is_number()) return calculate_real(sign, left.as_double(), right.as_double());
    if (sign == "+" && left.text() && right.text()) return work.text(*left.text() + *right.text());
    if (sign == "+" && left.list() && right.list() && left.list()->kind == right.list()->kind) {
        auto items = left.list()->items;
        items.insert(items.end(), right.list()->items.begin(), right.list()->items.end());
        return work.list(std::move(items), left.list()->kind);
    }
    if (sign == "*" && repeats(left) && right.whole(b)) return repeated(work, left, b);
    if (sign == "*" && left.whole(a) && repeats(right)) return repeated(work, right, a);
    return fault(fmt::format("'{}' cannot join a {} and a {}; change one of them, or use ~ to join them as text", sign,
                             left.type_name(), right.type_name()));
}

Result<Value> negated(const Value& value) {
    if (value.is_undefined()) return fail_undefined(value);
    if (const auto* real = value.real()) return Value(-*real);
    std::int64_t whole = 0;
    if (!value.whole(whole)) return fault(fmt::format("a {} has no negative; give a number", value.type_name()));
    if (whole == std::numeric_limits<std::int64_t>::min()) return too_big();
    return Value(-whole);
}

}  // namespace rootstock::chat
