#include <algorithm>

#include "app/contract/schema.h"

namespace rootstock {
namespace {

constexpr std::string_view known[] = {
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minProperties",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "allOf",
    "maxProperties",
    "propertyNames",
    "anyOf",
    "oneOf",
    "not",
    "$ref",
    "x-unsupported",
    "title",
    "description",
    "default",
    "format",
    "examples",
    "example",
    "deprecated",
    "contentEncoding",
    "contentMediaType",
    "readOnly",
    "x-zh",
    "nullable-note",
    "discriminator",
    "x-extension",
};

unsigned type_of(std::string_view word) {
    constexpr std::pair<std::string_view, unsigned> words[] = {
        {"null", Schema::null},     {"boolean", Schema::boolean}, {"integer", Schema::integer},
        {"number", Schema::number}, {"string", Schema::string},   {"array", Schema::array},
        {"object", Schema::object}};
    for (auto [name, bit] : words)
        if (name == word) return bit;
    ROOTSTOCK_CHECK(false, "the contract names an unknown type");
}

unsigned types_of(const json::value& node) {
    if (node.is_string()) return type_of(node.get_string());
    unsigned types = 0;
    for (const auto& word : node.as_array()) types |= type_of(word.as_string());
    return types;
}

std::size_t count_of(const json::object& node, std::string_view key, std::size_t otherwise) {
    const auto* value = node.if_contains(key);
    return value ? value->to_number<std::size_t>() : otherwise;
}

}  // namespace

const Schema* SchemaCompiler::compile(const json::value& node) {
    if (node.is_bool()) {
        schemas_.emplace_back();
        schemas_.back().never = !node.get_bool();
        return &schemas_.back();
    }
    const auto& object = node.as_object();
    for (const auto& [key, unused] : object)
        ROOTSTOCK_CHECK(std::ranges::find(known, std::string_view(key)) != std::end(known),
                        "the contract uses a keyword that is not checked");
    if (const auto* pointer = object.if_contains("$ref"); pointer && object.size() == 1)
        return reference(std::string(pointer->as_string()));
    schemas_.emplace_back();
    auto& schema = schemas_.back();
    fill(schema, object);
    return &schema;
}

// A schema may contain itself: its place is known before it is filled.
const Schema* SchemaCompiler::reference(const std::string& pointer) {
    auto [found, fresh] = references_.try_emplace(pointer, nullptr);
    if (!fresh) return found->second;
    ROOTSTOCK_CHECK(pointer.starts_with("#/"), "the contract refers to another document");
    const auto& node = document_.at_pointer(std::string_view(pointer).substr(1));
    if (!node.is_object() || node.get_object().contains("$ref")) return references_[pointer] = compile(node);
    schemas_.emplace_back();
    auto& schema = schemas_.back();
    references_[pointer] = &schema;
    fill(schema, node.get_object());
    return &schema;
}

std::vector<const Schema*> SchemaCompiler::list(const json::object& node, std::string_view key) {
    std::vector<const Schema*> compiled;
    if (const auto* parts = node.if_contains(key))
        for (const auto& part : parts->as_array()) compiled.push_back(compile(part));
    return compiled;
}

void SchemaCompiler::fill(Schema& schema, const json::object& node) {
    if (const auto* types = node.if_contains("type")) schema.types = types_of(*types);
    if (const auto* why = node.if_contains("x-unsupported")) schema.unsupported = why->as_string();
    if (const auto* values = node.if_contains("enum"))
        schema.values.assign(values->as_array().begin(), values->as_array().end());
    if (const auto* value = node.if_contains("const")) schema.values = {*value};
    if (const auto* properties = node.if_contains("properties"))
        for (const auto& [key, part] : properties->as_object()) schema.properties[std::string(key)] = compile(part);
    if (const auto* required = node.if_contains("required"))
        for (const auto& key : required->as_array()) schema.required.emplace_back(key.as_string());
    if (const auto* additional = node.if_contains("additionalProperties")) schema.additional = compile(*additional);
    if (const auto* names = node.if_contains("propertyNames")) schema.names = compile(*names);
    if (const auto* items = node.if_contains("items")) schema.items = compile(*items);
    if (const auto* negated = node.if_contains("not")) schema.negated = compile(*negated);
    if (const auto* pattern = node.if_contains("pattern")) {
        schema.pattern_text = pattern->as_string();
        schema.pattern.emplace(schema.pattern_text);
    }
    schema.all = list(node, "allOf");
    schema.any = list(node, "anyOf");
    schema.one = list(node, "oneOf");
    if (const auto* pointer = node.if_contains("$ref"))
        schema.all.push_back(reference(std::string(pointer->as_string())));
    fill_numbers(schema, node);
}

void SchemaCompiler::fill_numbers(Schema& schema, const json::object& node) {
    schema.items_min = count_of(node, "minItems", 0);
    schema.items_max = count_of(node, "maxItems", SIZE_MAX);
    schema.length_min = count_of(node, "minLength", 0);
    schema.length_max = count_of(node, "maxLength", SIZE_MAX);
    schema.properties_min = count_of(node, "minProperties", 0);
    schema.properties_max = count_of(node, "maxProperties", SIZE_MAX);
    auto number = [&](std::string_view key, std::optional<double>& place) {
        if (const auto* value = node.if_contains(key)) place = value->to_number<double>();
    };
    number("minimum", schema.minimum);
    number("maximum", schema.maximum);
    number("exclusiveMinimum", schema.above);
    number("exclusiveMaximum", schema.below);
    number("multipleOf", schema.multiple);
}

}  // namespace rootstock
