#include "infer/constrain/schema/string_text.h"

#include <algorithm>

#include "infer/constrain/network.h"
#include "infer/constrain/regex.h"

namespace rootstock::constrain {

namespace {

bool any_length(const Shape& shape) { return shape.length_min == 0 && shape.length_max == without_end; }

int as_count(std::int64_t value) { return static_cast<int>(value); }

Part with_length(Part character, const Shape& shape) {
    if (shape.length_max != without_end && shape.length_max < shape.length_min) return never();
    return quoted(repeat(std::move(character), as_count(shape.length_min), as_count(shape.length_max)));
}

Part with_pattern(const std::string& pattern, Budget& budget) {
    return quoted(read_regex(pattern, true, string_character, budget));
}

}  // namespace

Automaton string_automaton(const Shape& shape, Budget& budget) {
    const auto all = string_character(CharacterSet::all());
    std::optional<Automaton> made;
    const auto narrow = [&](const Part& part) {
        auto next = automaton_of(part, nullptr, budget);
        made = made ? intersection(*made, next, budget) : std::move(next);
    };
    for (const auto& pattern : shape.patterns) narrow(with_pattern(pattern, budget));
    if (!any_length(shape) || !made) narrow(with_length(all, shape));
    return std::move(*made);
}

Part string_text(const Shape& shape, JsonRules& json, Budget& budget) {
    if (shape.patterns.empty()) return any_length(shape) ? json.string() : with_length(any_string_character(), shape);
    if (shape.patterns.size() == 1 && any_length(shape)) return with_pattern(shape.patterns[0], budget);
    return automaton(string_automaton(shape, budget));
}

}  // namespace rootstock::constrain
