#include "infer/constrain/schema/value_check.h"

#include <algorithm>
#include <cmath>

#include "data/data.h"
#include "infer/constrain/network.h"
#include "infer/constrain/regex.h"

namespace rootstock::constrain {

namespace {

unsigned type_of(const json::value& value) {
    if (value.is_null()) return null_type;
    if (value.is_bool()) return boolean_type;
    if (value.is_string()) return string_type;
    if (value.is_array()) return array_type;
    if (value.is_object()) return object_type;
    return number_of(value) == std::floor(number_of(value)) ? integer_type : fraction_type;
}

bool within(const NumberBounds& bounds, double value) {
    if (bounds.low && (value < bounds.low->value || (bounds.low->strict && value == bounds.low->value))) return false;
    if (bounds.high && (value > bounds.high->value || (bounds.high->strict && value == bounds.high->value)))
        return false;
    return !bounds.multiple_of || std::fmod(value, *bounds.multiple_of) == 0;
}

bool counts(std::size_t size, std::int64_t min, std::int64_t max) {
    const auto count = static_cast<std::int64_t>(size);
    return count >= min && (max == without_end || count <= max);
}

}  // namespace

bool ValueCheck::satisfies(const json::value& value, const Demand& demand) {
    budget_.spend(16);
    if (++depth_ > 200) refuse(ErrorCode::too_large, "the schema nests too deep", "constraint_too_large");
    const auto alternatives = demands_.alternatives(demand);
    int satisfied = 0;
    for (const auto& plain : alternatives.plain) {
        const auto shape = demands_.shape(plain);
        if (shape && fits(value, *shape)) ++satisfied;
    }
    --depth_;
    return alternatives.exclusive ? satisfied == 1 : satisfied > 0;
}

bool ValueCheck::fits(const json::value& value, const Shape& shape) {
    if ((shape.types & type_of(value)) == 0) return false;
    const auto same = [&](const auto* one) { return same_value(*one, value); };
    if (shape.values && std::ranges::none_of(*shape.values, same)) return false;
    if (const auto* text = value.if_string()) return string_fits(*text, shape);
    if (const auto* array = value.if_array()) return array_fits(*array, shape);
    if (const auto* object = value.if_object()) return object_fits(*object, shape);
    return !value.is_number() || within(shape.bounds, number_of(value));
}

bool ValueCheck::matches(const std::string& pattern, std::string_view text) {
    const auto as_it_is = [](const CharacterSet& set) { return characters(set); };
    return automaton_of(read_regex(pattern, true, as_it_is, budget_), nullptr, budget_).accepts(text);
}

bool ValueCheck::string_fits(std::string_view text, const Shape& shape) {
    return counts(count_code_points(text), shape.length_min, shape.length_max) &&
           std::ranges::all_of(shape.patterns, [&](const auto& pattern) { return matches(pattern, text); });
}

bool ValueCheck::array_fits(const json::array& items, const Shape& shape) {
    if (!counts(items.size(), shape.items_min, shape.items_max)) return false;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i >= shape.prefix.size() && !shape.items) return false;
        if (!satisfies(items[i], i < shape.prefix.size() ? shape.prefix[i] : *shape.items)) return false;
    }
    return true;
}

bool ValueCheck::other_fits(std::string_view name, const json::value& value, const Shape& shape) {
    bool patterned = false;
    for (const auto& other : shape.patterned) {
        if (!matches(other.pattern, name)) continue;
        if (!satisfies(value, other.demand)) return false;
        patterned = true;
    }
    return patterned || (!shape.closed && satisfies(value, shape.others));
}

bool ValueCheck::object_fits(const json::object& fields, const Shape& shape) {
    if (!counts(fields.size(), shape.properties_min, shape.properties_max)) return false;
    for (const auto& property : shape.properties) {
        const auto* value = fields.if_contains(property.name);
        if (value ? !satisfies(*value, property.demand) : property.required) return false;
    }
    const auto listed = [&](std::string_view name) {
        return std::ranges::find(shape.properties, name, &Shape::Property::name) != shape.properties.end();
    };
    return std::ranges::all_of(fields, [&](const auto& field) {
        const std::string_view name = field.key();
        if (!shape.names.empty() && !satisfies(json::value(name), shape.names)) return false;
        if (std::ranges::find(shape.forbidden, name) != shape.forbidden.end()) return false;
        return listed(name) || other_fits(name, field.value(), shape);
    });
}

}  // namespace rootstock::constrain
