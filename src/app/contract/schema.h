#pragma once
// JSON Schema as OpenAPI 3.1 uses it (draft 2020-12), compiled once and checked without recursion deeper than the value
// itself. Keywords: type, enum, const, properties, required, additionalProperties, items, min/maxItems, min/maxLength,
// pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minProperties, maxProperties,
// propertyNames, allOf, anyOf, oneOf, not, $ref. Titles, descriptions, defaults, formats and examples only inform.

#include <boost/regex.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

// One schema, compiled. Pointers are owned by the compiler.
struct Schema {
    enum Type : unsigned { null = 1, boolean = 2, integer = 4, number = 8, string = 16, array = 32, object = 64 };

    bool never = false;                 // the schema `false`
    std::string unsupported{};          // x-unsupported: a field that others take and we refuse, with the reason
    unsigned types = 0;                 // of the Type bits; 0: any
    std::vector<json::value> values{};  // enum, const; empty: any
    std::map<std::string, const Schema*, std::less<>> properties{};
    std::vector<std::string> required{};
    const Schema* additional = nullptr;  // of properties not named; null: anything
    const Schema* names = nullptr;       // propertyNames
    const Schema* items = nullptr;
    std::size_t items_min = 0, items_max = SIZE_MAX;
    std::size_t length_min = 0, length_max = SIZE_MAX;  // characters
    std::size_t properties_min = 0, properties_max = SIZE_MAX;
    std::optional<boost::regex> pattern{};
    std::string pattern_text{};
    std::optional<double> minimum{}, maximum{}, above{}, below{}, multiple{};
    std::vector<const Schema*> all{}, any{}, one{};
    const Schema* negated = nullptr;
};

// Why a value is refused.
struct SchemaFault {
    std::string path;       // "messages[2].content"; empty: the value itself
    std::string rule;       // "must be one of \"float\", \"base64\""
    std::string reason;     // "unknown_field", "unsupported", or empty
    std::size_t depth = 0;  // steps down into the value
    std::size_t place = 0;  // the last step's place in its list
};

class SchemaCompiler {
public:
    explicit SchemaCompiler(const json::value& document) : document_(document) {}  // outlives the compiler

    const Schema* compile(const json::value& node);

private:
    const Schema* reference(const std::string& pointer);
    void fill(Schema& schema, const json::object& node);
    void fill_numbers(Schema& schema, const json::object& node);
    std::vector<const Schema*> list(const json::object& node, std::string_view key);

    const json::value& document_;
    std::deque<Schema> schemas_;
    std::map<std::string, const Schema*> references_;
};

// The first fault, or of alternatives the one that went deepest.
std::optional<SchemaFault> find_fault(const Schema& schema, const json::value& value);

}  // namespace rootstock
