#include "infer/constrain/schema/apart.h"

#include <algorithm>

#include "infer/constrain/schema/string_text.h"

namespace rootstock::constrain {

namespace {

bool numbers(const NumberBounds& a, const NumberBounds& b) {
    const auto below = [](const std::optional<Bound>& high, const std::optional<Bound>& low) {
        if (!high || !low) return false;
        return high->value < low->value || (high->value == low->value && (high->strict || low->strict));
    };
    return below(a.high, b.low) || below(b.high, a.low);
}

bool counts(std::int64_t min, std::int64_t max, std::int64_t other_min, std::int64_t other_max) {
    return (max != without_end && max < other_min) || (other_max != without_end && other_max < min);
}

const Shape::Property* listed(const Shape& shape, const std::string& name) {
    const auto found = std::ranges::find(shape.properties, name, &Shape::Property::name);
    return found == shape.properties.end() ? nullptr : &*found;
}

// What is written for `a` never satisfies `b`: `b` asks for a property that `a` does not write, or refuses one that `a`
// always writes.
bool never_satisfies(const Shape& a, const Shape& b) {
    const auto not_written = [&](const auto& property) {
        return property.required && !a.open && !listed(a, property.name);
    };
    const auto refused = [&](const auto& property) {
        const bool forbidden = std::ranges::find(b.forbidden, property.name) != b.forbidden.end();
        return property.required && (forbidden || (b.closed && b.patterned.empty() && !listed(b, property.name)));
    };
    return std::ranges::any_of(b.properties, not_written) || std::ranges::any_of(a.properties, refused);
}

}  // namespace

bool Apart::any(const Demand& a, const Demand& b) {
    if (depth_ > 6) return false;
    const auto left = demands_.alternatives(a), right = demands_.alternatives(b);
    return std::ranges::all_of(left.plain, [&](const auto& one) {
        return std::ranges::all_of(right.plain, [&](const auto& other) { return plain(one, other); });
    });
}

bool Apart::plain(const Demand& a, const Demand& b) {
    budget_.spend(32);
    const auto left = demands_.shape(a), right = demands_.shape(b);
    if (!left || !right) return true;
    ++depth_;
    const bool apart = shapes(*left, a, *right, b);
    --depth_;
    return apart;
}

bool Apart::shapes(const Shape& a, const Demand& a_demand, const Shape& b, const Demand& b_demand) {
    const auto types = a.types & b.types;
    if (types == 0) return true;
    if (a.values) return values(a, b_demand);
    if (b.values) return values(b, a_demand);
    if (types & (null_type | boolean_type)) return false;
    if ((types & (integer_type | fraction_type)) && !numbers(a.bounds, b.bounds)) return false;
    if ((types & string_type) && !strings(a, b)) return false;
    if ((types & array_type) && !arrays(a, b)) return false;
    return !(types & object_type) || objects(a, b);
}

bool Apart::values(const Shape& a, const Demand& other) {
    return std::ranges::none_of(*a.values, [&](const auto* value) { return check_.satisfies(*value, other); });
}

bool Apart::strings(const Shape& a, const Shape& b) {
    if (counts(a.length_min, a.length_max, b.length_min, b.length_max)) return true;
    if (a.patterns.empty() || b.patterns.empty()) return false;
    return accepts_nothing(intersection(string_automaton(a, budget_), string_automaton(b, budget_), budget_));
}

bool Apart::arrays(const Shape& a, const Shape& b) {
    if (counts(a.items_min, a.items_max, b.items_min, b.items_max)) return true;
    const auto least = static_cast<std::size_t>(std::max(a.items_min, b.items_min));
    for (std::size_t i = 0; i < std::min({least, a.prefix.size(), b.prefix.size()}); ++i)
        if (any(a.prefix[i], b.prefix[i])) return true;
    return false;
}

bool Apart::objects(const Shape& a, const Shape& b) {
    for (const auto& property : a.properties) {
        const auto* other = listed(b, property.name);
        if (other && (property.required || other->required) && any(property.demand, other->demand)) return true;
    }
    return never_satisfies(a, b) && never_satisfies(b, a);
}

}  // namespace rootstock::constrain
