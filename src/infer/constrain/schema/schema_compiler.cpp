#include "infer/constrain/schema/schema_compiler.h"

#include <algorithm>
#include <charconv>

#include "infer/constrain/doors.h"
#include "infer/constrain/schema/string_text.h"

namespace rootstock::constrain {

namespace {

constexpr std::size_t patterns_max = 4;  // "patternProperties" of one object
constexpr std::int64_t counted_properties_max = 256;

std::string number_spelled(const json::value& value) {
    if (!value.is_double()) return json::serialize(value);
    char room[40];
    return {room, std::to_chars(room, room + sizeof room, value.get_double()).ptr};
}

}  // namespace

SchemaCompiler::SchemaCompiler(const json::value& schema, bool strict, Rules& rules, JsonRules& json, Budget& budget)
    : tree_(schema, strict, budget),
      budget_(budget),
      rules_(rules),
      json_(json),
      demands_(tree_, budget),
      check_(demands_, budget),
      apart_(demands_, check_, budget) {}

Part SchemaCompiler::compile() {
    const int root = rule_of({{&tree_.root(), false}});
    while (!open_.empty()) {
        const auto& demand = *open_.front();
        open_.pop_front();
        rules_.define(known_.at(demand), body(demand));
    }
    return call(root);
}

int SchemaCompiler::rule_of(const Demand& demand) {
    const auto [place, fresh] = known_.try_emplace(demand, 0);
    if (fresh) {
        budget_.spend(32);
        place->second = rules_.add();
        open_.push_back(&place->first);
    }
    return place->second;
}

Part SchemaCompiler::body(const Demand& demand) {
    if (demands_.asks_nothing(demand)) return json_.value();
    const auto alternatives = demands_.alternatives(demand);
    if (alternatives.exclusive) check_exclusive(demand, alternatives);
    std::vector<Part> ways;
    for (const auto& plain : alternatives.plain) {
        if (alternatives.plain.size() > 1 && plain != demand)
            ways.push_back(call(rule_of(plain)));
        else if (const auto shape = demands_.shape(plain))
            ways.push_back(shape_text(plain, *shape));
    }
    return choice(std::move(ways));
}

void SchemaCompiler::check_exclusive(const Demand& demand, const Demands::Alternatives& alternatives) {
    const auto& all = alternatives.plain;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = i + 1; k < all.size(); ++k)
            if (!apart_.plain(all[i], all[k]))
                tree_.unsupported(*demand.begin()->schema, "oneOf",
                                  ", for a value might satisfy its alternatives " + std::to_string(i) + " and " +
                                      std::to_string(k) + " both; \"anyOf\" allows that");
}

Part SchemaCompiler::shape_text(const Demand& plain, const Shape& shape) {
    if (shape.values) return values_text(plain, shape);
    std::vector<Part> ways;
    if (shape.types & null_type) ways.push_back(text("null"));
    if (shape.types & boolean_type) ways.push_back(json_.boolean());
    if (shape.types & string_type) ways.push_back(string_text(shape, json_, budget_));
    if (shape.types & (integer_type | fraction_type)) ways.push_back(number_text(shape));
    if (shape.types & array_type) ways.push_back(array_text(shape));
    if (shape.types & object_type) ways.push_back(object_text(shape));
    return choice(std::move(ways));
}

Part SchemaCompiler::values_text(const Demand& plain, const Shape& shape) {
    std::vector<Part> ways;
    for (const auto* value : *shape.values) {
        budget_.spend(16);
        if (check_.satisfies(*value, plain)) ways.push_back(value_text(*value));
    }
    return choice(std::move(ways));
}

Part SchemaCompiler::value_text(const json::value& value) {
    budget_.spend(16);
    if (const auto* string = value.if_string()) return text(spelled(*string));
    if (value.is_number()) return text(number_spelled(value));
    std::vector<Part> parts;
    if (const auto* array = value.if_array()) {
        for (const auto& one : *array) {
            if (!parts.empty()) parts.push_back(json_.comma());
            parts.push_back(value_text(one));
        }
        return json_.list('[', sequence(std::move(parts)), ']');
    }
    if (const auto* object = value.if_object()) {
        for (const auto& field : *object) {
            if (!parts.empty()) parts.push_back(json_.comma());
            parts.push_back(json_.member(text(spelled(field.key())), value_text(field.value())));
        }
        return json_.list('{', sequence(std::move(parts)), '}');
    }
    return text(json::serialize(value));
}

Part SchemaCompiler::number_text(const Shape& shape) {
    const bool fractions = (shape.types & fraction_type) && !shape.bounds.multiple_of;
    if (shape.bounds.none()) return fractions ? json_.number() : json_.integer();
    return fractions ? number_within(shape.bounds, budget_) : integer_within(shape.bounds, budget_);
}

// Node i of the graph: i items are written, those of the prefix one by one and the rest in a loop.
Part SchemaCompiler::array_text(const Shape& shape) {
    const auto min = shape.items_min;
    const auto max = shape.items_max;
    if (max != without_end && max < min) return never();
    std::vector<Demand> first = shape.prefix;
    if (first.empty() && shape.items) first.push_back(*shape.items);
    if (max != without_end && static_cast<std::int64_t>(first.size()) > max)
        first.resize(static_cast<std::size_t>(max));
    Graph graph;
    std::vector<int> nodes{graph.node()};
    for (std::size_t i = 0; i < first.size(); ++i) {
        budget_.spend(16);
        auto item = call(rule_of(first[i]));
        nodes.push_back(graph.node());
        graph.edge(nodes[i], nodes[i + 1], i == 0 ? item : sequence({json_.comma(), item}));
    }
    const auto written = static_cast<std::int64_t>(first.size());
    const int end = graph.node();
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (static_cast<std::int64_t>(i) >= min) graph.edge(nodes[i], end, nothing());
    if (shape.items && (max == without_end || max > written) && written > 0) {
        const auto more = sequence({json_.comma(), call(rule_of(*shape.items))});
        const auto least = std::max<std::int64_t>(min - written, min >= written ? 0 : 1);
        graph.edge(
            nodes.back(), end,
            repeat(more, static_cast<int>(least), max == without_end ? without_end : static_cast<int>(max - written)));
    }
    return json_.list('[', graph.done(end), ']');
}

// Node (i, k) of the graph: the first i properties are behind us, k of them were written.
Part SchemaCompiler::object_text(const Shape& shape) {
    const auto most = shape.properties_max;
    const auto counted = most == without_end ? std::max<std::int64_t>(shape.properties_min, 1) : most;
    if (counted > counted_properties_max || (most != without_end && most < shape.properties_min)) {
        if (counted <= counted_properties_max) return never();
        refuse(
            ErrorCode::invalid_argument,
            "\"minProperties\" and \"maxProperties\" can be compiled up to " + std::to_string(counted_properties_max),
            "constraint_unsupported");
    }
    const auto rows = shape.properties.size() + 1, columns = static_cast<std::size_t>(counted) + 1;
    budget_.spend(rows * columns * 8);
    Graph graph;
    for (std::size_t i = 0; i < rows * columns; ++i) graph.node();
    const auto node = [&](std::size_t i, std::size_t k) { return static_cast<int>(i * columns + k); };
    const auto one_more = [&](std::size_t k) { return std::min(k + 1, columns - 1); };
    const auto room = [&](std::size_t k) { return most == without_end || static_cast<std::int64_t>(k) < most; };
    const auto after_comma = [&](std::size_t k, const Part& member) {
        return k == 0 ? member : sequence({json_.comma(), member});
    };
    for (std::size_t i = 0; i + 1 < rows; ++i) {
        const auto& property = shape.properties[i];
        const bool named = shape.names.empty() || check_.satisfies(json::value(property.name), shape.names);
        const auto member = json_.member(text(spelled(property.name)), call(rule_of(property.demand)));
        for (std::size_t k = 0; k < columns; ++k) {
            if (named && room(k)) graph.edge(node(i, k), node(i + 1, one_more(k)), after_comma(k, member));
            if (!property.required) graph.edge(node(i, k), node(i + 1, k), nothing());
        }
    }
    const int end = graph.node();
    const auto other = shape.open ? other_members(shape) : never();
    for (std::size_t k = 0; k < columns; ++k) {
        if (shape.open && room(k)) graph.edge(node(rows - 1, k), node(rows - 1, one_more(k)), after_comma(k, other));
        if (static_cast<std::int64_t>(k) >= shape.properties_min) graph.edge(node(rows - 1, k), end, nothing());
    }
    return json_.list('{', graph.done(end), '}');
}

// Members that the schema does not list, by which of its patterns their names match.
Part SchemaCompiler::other_members(const Shape& shape) {
    if (shape.properties.empty() && shape.forbidden.empty() && shape.patterned.empty() && shape.names.empty())
        return json_.member(json_.string(), call(rule_of(shape.others)));
    if (shape.patterned.size() > patterns_max)
        refuse(ErrorCode::invalid_argument,
               "\"patternProperties\" can be compiled with up to " + std::to_string(patterns_max) + " patterns",
               "constraint_unsupported");
    std::vector<Part> ways;
    for (unsigned set = 0; set < 1u << shape.patterned.size(); ++set) {
        Demand demand;
        if (set == 0) demand = shape.others;
        for (std::size_t i = 0; i < shape.patterned.size(); ++i)
            if (set >> i & 1) demand.insert(shape.patterned[i].demand.begin(), shape.patterned[i].demand.end());
        ways.push_back(json_.member(other_names(shape, set), call(rule_of(demand))));
    }
    return choice(std::move(ways));
}

Part SchemaCompiler::other_names(const Shape& shape, unsigned patterns) {
    std::vector<Part> taken;
    for (const auto& property : shape.properties) taken.push_back(text(spelled(property.name)));
    for (const auto& name : shape.forbidden) taken.push_back(text(spelled(name)));
    auto names = string_automaton({}, budget_);
    if (!shape.names.empty()) {
        const auto alternatives = demands_.alternatives(shape.names);
        const auto asked = alternatives.plain.size() == 1 ? demands_.shape(alternatives.plain[0]) : std::nullopt;
        if (!asked || asked->values || !(asked->types & string_type))
            refuse(ErrorCode::invalid_argument,
                   "\"propertyNames\" can be compiled with patterns, formats and lengths only",
                   "constraint_unsupported");
        names = string_automaton(*asked, budget_);
    }
    if (!taken.empty()) names = difference(names, automaton_of(choice(std::move(taken)), nullptr, budget_), budget_);
    for (std::size_t i = 0; i < shape.patterned.size(); ++i) {
        Shape pattern;
        pattern.patterns.push_back(shape.patterned[i].pattern);
        const auto matching = string_automaton(pattern, budget_);
        names = patterns >> i & 1 ? intersection(names, matching, budget_) : difference(names, matching, budget_);
    }
    return automaton(std::move(names));
}

}  // namespace rootstock::constrain

namespace rootstock {

CompiledConstraint compile_json_schema(const json::value& schema, SharedVocabulary vocabulary,
                                       const JsonSchemaOptions& options) {
    using namespace constrain;
    return compiled(std::move(vocabulary), [&](Rules& rules, Budget& budget) {
        JsonRules json(rules);
        rules.define(0, SchemaCompiler(schema, options.strict, rules, json, budget).compile());
    });
}

CompiledConstraint compile_json_object(SharedVocabulary vocabulary) {
    using namespace constrain;
    return compiled(std::move(vocabulary), [](Rules& rules, Budget&) { rules.define(0, JsonRules(rules).object()); });
}

}  // namespace rootstock
