#include "data/chat/predicates.h"

#include <algorithm>
#include <array>
#include <functional>

#include "data/chat/compare.h"
#include "data/chat/filters.h"
#include "data/chat/python_text.h"
#include "data/chat/text_methods.h"

namespace rootstock::chat {
namespace {

using Given = const GivenArguments&;
using Answer = Result<bool> (*)(Work&, const Value&, Given);

Result<const Value*> other_of(Given given) {
    ROOTSTOCK_CHECKED(given.only({"other"}));
    const auto* other = given.find(0, "other");
    if (!other) return fault("this test needs a value to compare with");
    return other;
}

Result<bool> is_equal(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(other, other_of(given));
    return equal(work, value, *other);
}
Result<bool> is_different(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(same, is_equal(work, value, given));
    return !same;
}
Result<bool> is_less(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(other, other_of(given));
    return less(work, value, *other);
}
Result<bool> is_greater(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(other, other_of(given));
    return less(work, *other, value);
}
Result<bool> is_at_most(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(same, is_equal(work, value, given));
    if (same && !value.is_undefined()) return true;
    return is_less(work, value, given);
}
Result<bool> is_at_least(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(same, is_equal(work, value, given));
    if (same && !value.is_undefined()) return true;
    return is_greater(work, value, given);
}
Result<bool> is_in(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(other, other_of(given));
    return contains(work, *other, value);
}

Result<std::int64_t> remainder(const Value& value, std::int64_t divisor) {
    if (value.is_undefined()) return fail_undefined(value);
    std::int64_t whole = 0;
    if (!value.whole(whole)) return fault(fmt::format("this test needs a whole number, not a {}", value.type_name()));
    if (divisor == 0) return fault("a number cannot be divided by 0");
    return divisor == -1 ? 0 : whole % divisor;
}
Result<bool> is_even(Work&, const Value& value, Given) {
    ROOTSTOCK_TRY(rest, remainder(value, 2));
    return rest == 0;
}
Result<bool> is_odd(Work&, const Value& value, Given) {
    ROOTSTOCK_TRY(rest, remainder(value, 2));
    return rest != 0;
}
Result<bool> is_divisible(Work&, const Value& value, Given given) {
    ROOTSTOCK_CHECKED(given.only({"num"}));
    ROOTSTOCK_TRY(divisor, given.whole(0, "num", 0));
    ROOTSTOCK_TRY(rest, remainder(value, divisor));
    return rest == 0;
}

Result<bool> has_case(Work& work, const Value& value, std::string_view method) {
    ROOTSTOCK_TRY(text, text_of(work, value));
    ROOTSTOCK_TRY(answer, call_text_method(work, text, method, {}));
    return answer.truth();
}

// Whether two values are one object depends on the reference's memory, but for what every Python has one of.
Result<bool> is_same(Work& work, const Value& value, Given given) {
    ROOTSTOCK_TRY(other, other_of(given));
    if (std::string_view(value.type_name()) != other->type_name()) return false;
    std::int64_t whole = 0;
    bool single = value.is_none() || value.boolean() || (value.whole(whole) && whole >= -5 && whole <= 256);
    if (single) return equal(work, value, *other);
    return fail(ErrorCode::unsupported, "'is sameas' is known for true, false, none and small numbers only; use ==");
}

struct Named {
    std::string_view name;
    Answer answer;
};

// Tests that look at the value alone.
constexpr Named kinds[] = {
    {"defined", [](Work&, const Value& v, Given) -> Result<bool> { return !v.is_undefined(); }},
    {"undefined", [](Work&, const Value& v, Given) -> Result<bool> { return v.is_undefined(); }},
    {"none", [](Work&, const Value& v, Given) -> Result<bool> { return v.is_none(); }},
    {"boolean", [](Work&, const Value& v, Given) -> Result<bool> { return v.boolean() != nullptr; }},
    {"true", [](Work&, const Value& v, Given) -> Result<bool> { return v.boolean() && *v.boolean(); }},
    {"false", [](Work&, const Value& v, Given) -> Result<bool> { return v.boolean() && !*v.boolean(); }},
    {"integer", [](Work&, const Value& v, Given) -> Result<bool> { return v.is_integer(); }},
    {"float", [](Work&, const Value& v, Given) -> Result<bool> { return v.real() != nullptr; }},
    {"number", [](Work&, const Value& v, Given) -> Result<bool> { return v.is_number(); }},
    {"string", [](Work&, const Value& v, Given) -> Result<bool> { return v.text() != nullptr; }},
    {"mapping", [](Work&, const Value& v, Given) -> Result<bool> { return v.dict() != nullptr; }},
    {"sequence",
     [](Work&, const Value& v, Given) -> Result<bool> {
         return v.text() || v.list() || v.dict() || v.is_undefined() || (v.row() && v.row()->kind == RowKind::range);
     }},
    {"iterable",
     [](Work&, const Value& v, Given) -> Result<bool> {
         return v.text() || v.row() || v.dict() || v.is_undefined() || v.loop();
     }},
    {"callable", [](Work&, const Value& v, Given) -> Result<bool> { return v.callable() || v.is_undefined(); }},
    {"escaped", [](Work&, const Value&, Given) -> Result<bool> { return false; }},
    {"lower", [](Work& w, const Value& v, Given) { return has_case(w, v, "islower"); }},
    {"upper", [](Work& w, const Value& v, Given) { return has_case(w, v, "isupper"); }},
    {"filter", [](Work&, const Value& v, Given) -> Result<bool> { return v.text() && is_filter(*v.text()); }},
    {"even", is_even},
    {"odd", is_odd},
};

// Tests with an argument, under all the names the reference knows them by.
constexpr Named comparisons[] = {
    {"==", is_equal},  {"eq", is_equal},    {"equalto", is_equal},         {"!=", is_different}, {"ne", is_different},
    {"<", is_less},    {"lt", is_less},     {"lessthan", is_less},         {"<=", is_at_most},   {"le", is_at_most},
    {">", is_greater}, {"gt", is_greater},  {"greaterthan", is_greater},   {">=", is_at_least},  {"ge", is_at_least},
    {"in", is_in},     {"sameas", is_same}, {"divisibleby", is_divisible},
};

}  // namespace

Result<bool> apply_test(Work& work, std::string_view name, const Value& value, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(work.spend(1));
    auto named = [name](const Named& test) { return test.name == name; };
    if (auto found = std::ranges::find_if(kinds, named); found != std::end(kinds)) {
        ROOTSTOCK_CHECKED(given.only({}));
        return found->answer(work, value, given);
    }
    if (auto found = std::ranges::find_if(comparisons, named); found != std::end(comparisons))
        return found->answer(work, value, given);
    return fault(fmt::format("there is no test named '{}'", name.substr(0, 40)));
}

}  // namespace rootstock::chat
