#include "infer/constrain/schema/schema_tree.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace rootstock::constrain {

namespace {

enum class Kind {
    schema,         // a schema
    schemas,        // a list of them, not empty
    named_schemas,  // an object of them
    text,
    texts,
    count,
    number,
    boolean,
    types,
    values,
    any,
    ignored,  // says nothing about what is valid
    refused
};

const std::map<std::string_view, Kind>& keywords() {
    static const std::map<std::string_view, Kind> all = {
        {"type", Kind::types},
        {"enum", Kind::values},
        {"const", Kind::any},
        {"anyOf", Kind::schemas},
        {"oneOf", Kind::schemas},
        {"allOf", Kind::schemas},
        {"$ref", Kind::text},
        {"$defs", Kind::named_schemas},
        {"definitions", Kind::named_schemas},
        {"properties", Kind::named_schemas},
        {"patternProperties", Kind::named_schemas},
        {"additionalProperties", Kind::schema},
        {"propertyNames", Kind::schema},
        {"required", Kind::texts},
        {"minProperties", Kind::count},
        {"maxProperties", Kind::count},
        {"unevaluatedProperties", Kind::boolean},
        {"items", Kind::schema},
        {"prefixItems", Kind::schemas},
        {"minItems", Kind::count},
        {"maxItems", Kind::count},
        {"uniqueItems", Kind::boolean},
        {"minLength", Kind::count},
        {"maxLength", Kind::count},
        {"pattern", Kind::text},
        {"format", Kind::text},
        {"minimum", Kind::number},
        {"maximum", Kind::number},
        {"exclusiveMinimum", Kind::number},
        {"exclusiveMaximum", Kind::number},
        {"multipleOf", Kind::number},
        {"title", Kind::ignored},
        {"description", Kind::ignored},
        {"default", Kind::ignored},
        {"examples", Kind::ignored},
        {"example", Kind::ignored},
        {"deprecated", Kind::ignored},
        {"readOnly", Kind::ignored},
        {"writeOnly", Kind::ignored},
        {"$schema", Kind::ignored},
        {"$comment", Kind::ignored},
        {"contentMediaType", Kind::ignored},
        {"contentEncoding", Kind::ignored},
        {"contentSchema", Kind::ignored},
        {"$id", Kind::text},
        {"not", Kind::refused},
        {"if", Kind::refused},
        {"then", Kind::refused},
        {"else", Kind::refused},
        {"contains", Kind::refused},
        {"minContains", Kind::refused},
        {"maxContains", Kind::refused},
        {"dependentRequired", Kind::refused},
        {"dependentSchemas", Kind::refused},
        {"dependencies", Kind::refused},
        {"unevaluatedItems", Kind::refused},
        {"additionalItems", Kind::refused},
        {"$dynamicRef", Kind::refused},
        {"$dynamicAnchor", Kind::refused},
        {"$anchor", Kind::refused},
        {"$recursiveRef", Kind::refused},
        {"$vocabulary", Kind::refused},
    };
    return all;
}

constexpr std::string_view type_names[] = {"null", "boolean", "object", "array", "string", "integer", "number"};

bool is_schema(const json::value& value) { return value.is_object() || value.is_bool(); }
bool is_type(const json::value& value) {
    const auto* name = value.if_string();
    return name && std::ranges::find(type_names, std::string_view(*name)) != std::ranges::end(type_names);
}
bool is_count(const json::value& value) {
    return value.is_number() && number_of(value) >= 0 && number_of(value) == std::floor(number_of(value));
}

// What is wrong with a keyword's value, or nullptr.
const char* fault_of(Kind kind, const json::value& value) {
    const auto all = [&](auto predicate) { return std::ranges::all_of(value.get_array(), predicate); };
    switch (kind) {
        case Kind::schema:
            return is_schema(value) ? nullptr : "must be a schema";
        case Kind::schemas:
            return value.is_array() && !value.get_array().empty() && all(is_schema) ? nullptr
                                                                                    : "must be a list of schemas";
        case Kind::named_schemas:
            return value.is_object() && std::ranges::all_of(value.get_object(),
                                                            [](const auto& field) { return is_schema(field.value()); })
                       ? nullptr
                       : "must be an object of schemas";
        case Kind::text:
            return value.is_string() ? nullptr : "must be a string";
        case Kind::texts:
            return value.is_array() && all([](const auto& one) { return one.is_string(); })
                       ? nullptr
                       : "must be a list of strings";
        case Kind::count:
            return is_count(value) ? nullptr : "must be a whole number from 0 on";
        case Kind::number:
            return value.is_number() ? nullptr : "must be a number";
        case Kind::boolean:
            return value.is_bool() ? nullptr : "can be compiled as true or false only";
        case Kind::types:
            return is_type(value) || (value.is_array() && !value.get_array().empty() && all(is_type))
                       ? nullptr
                       : "must be null, boolean, object, array, string, integer or number, or a list of those";
        case Kind::values:
            return value.is_array() && !value.get_array().empty() ? nullptr : "must be a list that is not empty";
        default:
            return nullptr;
    }
}

std::string unescaped(std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const auto next = part.substr(i + 1, 1);
        int value = 0;
        if (part[i] == '~' && (next == "0" || next == "1"))
            out += next == "0" ? '~' : '/', ++i;
        else if (part[i] == '%' &&
                 std::from_chars(part.data() + i + 1, part.data() + std::min(i + 3, part.size()), value, 16).ptr ==
                     part.data() + i + 3)
            out += static_cast<char>(value), i += 2;
        else
            out += part[i];
    }
    return out;
}

std::string escaped(std::string_view name) {
    std::string out;
    for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

}  // namespace

const json::value* keyword(const json::object& schema, std::string_view name) { return schema.if_contains(name); }

double number_of(const json::value& value) {
    if (value.is_int64()) return static_cast<double>(value.get_int64());
    return value.is_uint64() ? static_cast<double>(value.get_uint64()) : value.get_double();
}

std::optional<double> number_of(const json::object& schema, std::string_view name) {
    const auto* value = keyword(schema, name);
    return value ? std::optional(number_of(*value)) : std::nullopt;
}

std::optional<std::int64_t> count_of(const json::object& schema, std::string_view name) {
    const auto value = number_of(schema, name);
    return value ? std::optional(static_cast<std::int64_t>(std::min(*value, 1e9))) : std::nullopt;
}

SchemaTree::SchemaTree(const json::value& root, bool strict, Budget& budget)
    : root_(root), strict_(strict), budget_(budget) {
    find_places(root, "#", 0);
}

void SchemaTree::find_places(const json::value& value, const std::string& place, int depth) {
    budget_.spend(4 + place.size() / 16);
    if (depth > 128) refuse(ErrorCode::too_large, "the schema nests too deep", "constraint_too_large");
    places_.emplace(&value, Place{place, places_.size()});
    if (const auto* object = value.if_object())
        for (const auto& field : *object) find_places(field.value(), place + "/" + escaped(field.key()), depth + 1);
    if (const auto* array = value.if_array())
        for (std::size_t i = 0; i < array->size(); ++i)
            find_places((*array)[i], place + "/" + std::to_string(i), depth + 1);
}

bool SchemaTree::asks_something(std::string_view name) {
    const auto known = keywords().find(name);
    return known != keywords().end() && known->second != Kind::ignored && name != "$defs" && name != "definitions" &&
           name != "$id";
}

std::string SchemaTree::place(const json::value& part) const {
    const auto found = places_.find(&part);
    return found == places_.end() ? "#" : found->second.name;
}

std::size_t SchemaTree::number(const json::value& part) const {
    const auto found = places_.find(&part);
    return found == places_.end() ? 0 : found->second.number;
}

void SchemaTree::unsupported(const json::value& schema, std::string_view name, std::string_view why) const {
    refuse(ErrorCode::invalid_argument,
           "the keyword \"" + std::string(name) + "\" at " + place(schema) + " of the schema cannot be compiled" +
               std::string(why) + "; write the schema without it",
           "constraint_unsupported");
}

void SchemaTree::wrong(const json::value& schema, std::string_view name, std::string_view what) const {
    refuse(ErrorCode::invalid_argument,
           "the keyword \"" + std::string(name) + "\" at " + place(schema) + " of the schema " + std::string(what),
           "constraint_invalid");
}

const json::object& SchemaTree::checked(const json::value& schema) {
    static const json::object empty;
    if (schema.is_bool()) return empty;
    if (!schema.is_object())
        refuse(ErrorCode::invalid_argument, place(schema) + " of the schema must be an object, true or false",
               "constraint_invalid");
    const auto& object = schema.get_object();
    if (!checked_.try_emplace(&schema, true).second) return object;
    for (const auto& field : object) check_keyword(schema, field.key(), field.value());
    if (strict_) check_strict(schema, object);
    return object;
}

void SchemaTree::check_keyword(const json::value& schema, std::string_view name, const json::value& value) const {
    if (name.starts_with("x-")) return;
    const auto known = keywords().find(name);
    if (known == keywords().end()) unsupported(schema, name, ", since it is not known");
    if (known->second == Kind::refused) unsupported(schema, name, "");
    if (const auto* fault = fault_of(known->second, value)) wrong(schema, name, fault);
    if (name == "uniqueItems" && value.get_bool()) unsupported(schema, name, " as true");
    if (name == "unevaluatedProperties" && value.get_bool()) return;
    if (name == "$id" && &schema != &root_) unsupported(schema, name, " below the root");
    if (name == "multipleOf" && number_of(value) <= 0) wrong(schema, name, "must be above 0");
}

// OpenAI's rules of strict structured outputs.
void SchemaTree::check_strict(const json::value& schema, const json::object& object) const {
    const auto* properties = keyword(object, "properties");
    const auto* type = keyword(object, "type");
    const bool is_object = properties || (type && type->is_string() && type->get_string() == "object");
    if (!is_object) return;
    const auto* additional = keyword(object, "additionalProperties");
    if (!additional || !additional->is_bool() || additional->get_bool())
        wrong(schema, "additionalProperties", "must be there and false in strict mode");
    const auto* required = keyword(object, "required");
    for (const auto& field : properties ? properties->get_object() : json::object())
        if (!required ||
            std::ranges::find(required->get_array(), json::value(field.key())) == required->get_array().end())
            wrong(schema, "required",
                  "must name \"" + std::string(field.key()) + "\" in strict mode, as all properties");
}

const json::value& SchemaTree::target(const json::value& schema, std::string_view reference) {
    const auto* base = root_.is_object() ? keyword(root_.get_object(), "$id") : nullptr;
    auto rest = reference;
    if (base && base->is_string() && rest.starts_with(std::string_view(base->get_string())))
        rest.remove_prefix(base->get_string().size());
    if (rest.empty() && rest.size() < reference.size()) return root_;
    if (rest != "#" && !rest.starts_with("#/"))
        unsupported(schema, "$ref", " to \"" + std::string(reference) + "\", which is not a place in this schema");
    const auto* at = &root_;
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 2));
    while (at && !rest.empty()) {
        const auto end = std::min(rest.find('/'), rest.size());
        const auto name = unescaped(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        std::size_t index = 0;
        const bool number =
            std::from_chars(name.data(), name.data() + name.size(), index).ptr == name.data() + name.size();
        if (const auto* object = at->if_object())
            at = object->if_contains(name);
        else if (const auto* array = at->if_array(); array && number && index < array->size())
            at = &(*array)[index];
        else
            at = nullptr;
    }
    if (!at || !is_schema(*at))
        wrong(schema, "$ref", "points at \"" + std::string(reference) + "\", where no schema is");
    return *at;
}

}  // namespace rootstock::constrain
