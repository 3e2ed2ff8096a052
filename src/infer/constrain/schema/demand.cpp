#include "infer/constrain/schema/demand.h"

#include <algorithm>
#include <map>

#include "infer/constrain/network.h"
#include "infer/constrain/regex.h"
#include "infer/constrain/schema/formats.h"

namespace rootstock::constrain {

namespace {

constexpr std::size_t alternatives_max = 256;

const std::map<std::string_view, unsigned> type_bits = {{"null", null_type},
                                                        {"boolean", boolean_type},
                                                        {"object", object_type},
                                                        {"array", array_type},
                                                        {"string", string_type},
                                                        {"integer", integer_type},
                                                        {"number", integer_type | fraction_type}};

unsigned types_of(const json::value& type) {
    if (const auto* name = type.if_string()) return type_bits.at(*name);
    unsigned all = 0;
    for (const auto& one : type.get_array()) all |= type_bits.at(one.get_string());
    return all;
}

void lower(std::int64_t& limit, std::optional<std::int64_t> value) {
    if (value && (limit == without_end || *value < limit)) limit = *value;
}
void raise(std::int64_t& limit, std::optional<std::int64_t> value) {
    if (value) limit = std::max(limit, *value);
}

bool is_false(const json::value& schema) { return schema.is_bool() && !schema.get_bool(); }

void check_alternatives(std::size_t count) {
    if (count > alternatives_max)
        refuse(ErrorCode::too_large,
               "\"anyOf\" and \"oneOf\" of the schema combine to more than " + std::to_string(alternatives_max) +
                   " alternatives",
               "constraint_too_large");
}

}  // namespace

bool same_value(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) return a == b || number_of(a) == number_of(b);
    if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same_value);
    if (!a.is_object() || !b.is_object()) return a == b;
    const auto& other = b.get_object();
    return a.get_object().size() == other.size() && std::ranges::all_of(a.get_object(), [&](const auto& field) {
               const auto* value = other.if_contains(field.key());
               return value && same_value(field.value(), *value);
           });
}

bool Demands::asks_nothing(const Demand& demand) {
    return std::ranges::all_of(demand, [&](const Demanded& one) {
        if (one.schema->is_bool()) return one.schema->get_bool();
        return std::ranges::all_of(tree_.checked(*one.schema),
                                   [](const auto& field) { return !SchemaTree::asks_something(field.key()); });
    });
}

struct Demands::Flat {
    Demand plain;
    std::vector<const json::array*> choices;
    bool exclusive = false;
    bool alone = true;                     // one schema is demanded, with all below it
    std::vector<const json::value*> path;  // of references and "allOf", to find those that go in a circle
};

void Demands::flatten(const Demanded& one, Flat& flat, int depth) {
    budget_.spend(8);
    const auto& object = tree_.checked(*one.schema);
    if (one.plain || one.schema->is_bool()) {
        flat.plain.insert({one.schema, true});
        return;
    }
    if (std::ranges::find(flat.path, one.schema) != flat.path.end() || depth > 200)
        tree_.wrong(*one.schema, keyword(object, "$ref") ? "$ref" : "allOf", "leads back to itself");
    // It speaks of what lies below it, and not of the schemas beside or above that are demanded too.
    if (const auto* rest = keyword(object, "unevaluatedProperties");
        rest && is_false(*rest) && (depth > 0 || !flat.alone))
        tree_.unsupported(*one.schema, "unevaluatedProperties", " within another schema");
    if (!flat.plain.insert({one.schema, true}).second) return;
    flat.path.push_back(one.schema);
    if (const auto* reference = keyword(object, "$ref"))
        flatten({&tree_.target(*one.schema, reference->get_string()), false}, flat, depth + 1);
    if (const auto* all = keyword(object, "allOf"))
        for (const auto& schema : all->get_array()) flatten({&schema, false}, flat, depth + 1);
    for (const auto* name : {"anyOf", "oneOf"})
        if (const auto* some = keyword(object, name)) {
            flat.choices.push_back(&some->get_array());
            flat.exclusive = flat.exclusive || (std::string_view(name) == "oneOf" && some->get_array().size() > 1);
        }
    flat.path.pop_back();
}

// Alternatives may hold alternatives; each is flattened in turn until none is left. Several lists of choices combine in
// every way.
Demands::Alternatives Demands::alternatives(const Demand& demand) {
    Alternatives made;
    std::vector<Demand> open{demand};
    while (!open.empty()) {
        const auto next = std::move(open.back());
        open.pop_back();
        Flat flat;
        flat.alone = next.size() == 1;
        for (const auto& one : next) flatten(one, flat, 0);
        made.exclusive = made.exclusive || flat.exclusive;
        if (flat.choices.empty()) {
            made.plain.push_back(std::move(flat.plain));
            continue;
        }
        std::vector<Demand> ways{flat.plain};
        for (const auto* list : flat.choices) {
            check_alternatives(made.plain.size() + open.size() + ways.size() * list->size());
            budget_.spend(ways.size() * list->size() * (8 + flat.plain.size()));
            std::vector<Demand> more;
            for (const auto& way : ways)
                for (const auto& one : *list) {
                    more.push_back(way);
                    more.back().insert({&one, false});
                }
            ways = std::move(more);
        }
        open.insert(open.end(), ways.rbegin(), ways.rend());
    }
    return made;
}

std::optional<Shape> Demands::shape(const Demand& plain) {
    Shape shape;
    std::vector<const json::object*> objects;
    for (const auto& one : plain) {
        if (is_false(*one.schema)) return {};
        if (one.schema->is_bool()) continue;
        const auto& object = tree_.checked(*one.schema);
        budget_.spend(8 + object.size());
        if (const auto* type = keyword(object, "type")) shape.types &= types_of(*type);
        add_values(object, shape);
        add_string(*one.schema, object, shape);
        add_bounds(object, shape);
    }
    std::vector<const json::value*> ordered;
    for (const auto& one : plain)
        if (one.schema->is_object()) ordered.push_back(one.schema);
    std::ranges::sort(ordered, {}, [&](const auto* schema) { return tree_.number(*schema); });
    for (const auto* schema : ordered) objects.push_back(&schema->get_object());
    add_arrays(objects, shape);
    add_objects(objects, shape);
    return shape.types == 0 ? std::nullopt : std::optional(std::move(shape));
}

void Demands::add_values(const json::object& object, Shape& shape) {
    const auto keep = [&](std::vector<const json::value*> values) {
        if (!shape.values) {
            shape.values = std::move(values);
            return;
        }
        std::erase_if(*shape.values, [&](const auto* kept) {
            return std::ranges::none_of(values, [&](const auto* one) { return same_value(*kept, *one); });
        });
    };
    if (const auto* list = keyword(object, "enum")) {
        std::vector<const json::value*> values;
        for (const auto& one : list->get_array()) values.push_back(&one);
        budget_.spend(values.size() * 4);
        keep(std::move(values));
    }
    if (const auto* value = keyword(object, "const")) keep({value});
}

void Demands::add_string(const json::value& schema, const json::object& object, Shape& shape) {
    raise(shape.length_min, count_of(object, "minLength"));
    lower(shape.length_max, count_of(object, "maxLength"));
    if (const auto* pattern = keyword(object, "pattern")) shape.patterns.emplace_back(pattern->get_string());
    if (const auto* format = keyword(object, "format")) {
        auto pattern = format_pattern(format->get_string());
        if (!pattern)
            tree_.unsupported(schema, "format",
                              " for \"" + std::string(format->get_string()) + "\" (known are " + known_formats() + ")");
        shape.patterns.push_back(std::move(*pattern));
    }
}

void Demands::add_bounds(const json::object& object, Shape& shape) {
    auto& bounds = shape.bounds;
    const auto low = [&](std::optional<double> value, bool strict) {
        if (value && (!bounds.low || *value > bounds.low->value || (*value == bounds.low->value && strict)))
            bounds.low = {*value, strict};
    };
    const auto high = [&](std::optional<double> value, bool strict) {
        if (value && (!bounds.high || *value < bounds.high->value || (*value == bounds.high->value && strict)))
            bounds.high = {*value, strict};
    };
    low(number_of(object, "minimum"), false);
    low(number_of(object, "exclusiveMinimum"), true);
    high(number_of(object, "maximum"), false);
    high(number_of(object, "exclusiveMaximum"), true);
    if (const auto multiple = number_of(object, "multipleOf")) {
        if (bounds.multiple_of && *bounds.multiple_of != *multiple)
            refuse(ErrorCode::invalid_argument, "several different \"multipleOf\" at once cannot be compiled",
                   "constraint_unsupported");
        bounds.multiple_of = multiple;
    }
}

void Demands::add_arrays(const std::vector<const json::object*>& objects, Shape& shape) {
    std::size_t prefix = 0;
    for (const auto* object : objects) {
        raise(shape.items_min, count_of(*object, "minItems"));
        lower(shape.items_max, count_of(*object, "maxItems"));
        if (const auto* list = keyword(*object, "prefixItems")) prefix = std::max(prefix, list->get_array().size());
    }
    shape.prefix.resize(prefix);
    shape.items.emplace();
    budget_.spend(prefix * objects.size());
    for (const auto* object : objects) {
        const auto* list = keyword(*object, "prefixItems");
        const auto* items = keyword(*object, "items");
        const auto own = list ? list->get_array().size() : 0;
        for (std::size_t i = 0; i < prefix; ++i)
            if (const auto* schema = i < own ? &list->get_array()[i] : items) shape.prefix[i].insert({schema, false});
        if (items && shape.items) shape.items->insert({items, false});
        if (items && is_false(*items)) {
            shape.items.reset();
            lower(shape.items_max, static_cast<std::int64_t>(own));
        }
    }
    if (!shape.items) lower(shape.items_max, static_cast<std::int64_t>(prefix));
}

bool Demands::matches(const std::string& pattern, const std::string& name) {
    const auto as_it_is = [](const CharacterSet& set) { return characters(set); };
    return automaton_of(read_regex(pattern, true, as_it_is, budget_), nullptr, budget_).accepts(name);
}

// All that schemas say about the property of a name; `allowed` false: it must not be there.
Demand Demands::property_demand(const std::vector<const json::object*>& objects, const std::string& name,
                                bool& allowed) {
    Demand demand;
    const auto add = [&](const json::value& schema) {
        if (is_false(schema)) allowed = false;
        demand.insert({&schema, false});
    };
    for (const auto* object : objects) {
        bool known = false;
        if (const auto* list = keyword(*object, "properties"))
            if (const auto* schema = list->get_object().if_contains(name)) add(*schema), known = true;
        if (const auto* list = keyword(*object, "patternProperties"))
            for (const auto& field : list->get_object())
                if (matches(std::string(field.key()), name)) add(field.value()), known = true;
        if (const auto* others = keyword(*object, "additionalProperties"); others && !known) add(*others);
    }
    return demand;
}

void Demands::add_objects(const std::vector<const json::object*>& objects, Shape& shape) {
    std::vector<std::string> names;
    std::set<std::string> seen, required;
    bool closed = false, listed = false, asks_for_others = false;
    const auto add_name = [&](std::string name) {
        if (seen.insert(name).second) names.push_back(std::move(name));
    };
    for (const auto* object : objects) {
        raise(shape.properties_min, count_of(*object, "minProperties"));
        lower(shape.properties_max, count_of(*object, "maxProperties"));
        if (const auto* list = keyword(*object, "properties")) {
            for (const auto& field : list->get_object()) add_name(std::string(field.key()));
            listed = true;
        }
        if (const auto* list = keyword(*object, "required"))
            for (const auto& name : list->get_array()) required.insert(std::string(name.get_string()));
        if (const auto* names_schema = keyword(*object, "propertyNames")) shape.names.insert({names_schema, false});
        if (const auto* others = keyword(*object, "additionalProperties")) {
            closed = closed || (is_false(*others) && !keyword(*object, "patternProperties"));
            asks_for_others = asks_for_others || !is_false(*others);
            shape.others.insert({others, false});
        }
        if (const auto* evaluated = keyword(*object, "unevaluatedProperties")) closed = closed || is_false(*evaluated);
        if (const auto* list = keyword(*object, "patternProperties"))
            for (const auto& field : list->get_object()) {
                asks_for_others = true;
                shape.patterned.push_back({std::string(field.key()), {{&field.value(), false}}});
            }
    }
    for (const auto& name : required) add_name(name);
    for (const auto& name : names) {
        budget_.spend(8 * objects.size());
        bool allowed = true;
        auto demand = property_demand(objects, name, allowed);
        const bool needed = required.contains(name);
        if (allowed)
            shape.properties.push_back({name, std::move(demand), needed});
        else if (needed)
            shape.types &= ~unsigned{object_type};
        else
            shape.forbidden.push_back(name);
    }
    shape.closed = closed;
    shape.open = !closed && (asks_for_others || (!listed && required.empty()));
}

}  // namespace rootstock::constrain
