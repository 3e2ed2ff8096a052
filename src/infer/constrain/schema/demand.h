#pragma once
// What a value must satisfy: some schemas at once. References and "allOf" only add schemas to the list; "anyOf" and
// "oneOf" make several lists, of which one must be satisfied. What is left are plain lists, whose keywords are
// gathered in a Shape.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "infer/constrain/schema/number_text.h"
#include "infer/constrain/schema/schema_tree.h"

namespace rootstock::constrain {

// A schema, or all of it but references, "allOf", "anyOf" and "oneOf".
struct Demanded {
    const json::value* schema = nullptr;
    bool plain = false;
    auto operator<=>(const Demanded&) const = default;
};
using Demand = std::set<Demanded>;

enum Types : unsigned {
    null_type = 1,
    boolean_type = 2,
    object_type = 4,
    array_type = 8,
    string_type = 16,
    integer_type = 32,
    fraction_type = 64,  // numbers that are not whole
    all_types = 127
};

struct Shape {
    unsigned types = all_types;
    std::optional<std::vector<const json::value*>> values;  // "enum" and "const"
    std::int64_t length_min = 0, length_max = without_end;  // of strings
    std::vector<std::string> patterns;                      // formats too
    NumberBounds bounds;
    std::vector<Demand> prefix;   // of arrays
    std::optional<Demand> items;  // behind the prefix; nothing: none are allowed
    std::int64_t items_min = 0, items_max = without_end;

    struct Property {
        std::string name;
        Demand demand;
        bool required = false;
    };
    std::vector<Property> properties;    // in order
    std::vector<std::string> forbidden;  // names that the schema lists and never allows
    struct Others {
        std::string pattern;  // of the name; empty: any that matches no pattern
        Demand demand;
    };
    bool open = false;    // properties that are not listed may be written
    bool closed = false;  // and are not valid either
    std::vector<Others> patterned;
    Demand others;  // of properties that are neither listed nor patterned
    Demand names;   // of all names
    std::int64_t properties_min = 0, properties_max = without_end;
};

class Demands {
public:
    Demands(SchemaTree& tree, Budget& budget) : tree_(tree), budget_(budget) {}

    // The plain lists of which one must be satisfied; with "oneOf", `exclusive` says that it must be exactly one.
    struct Alternatives {
        std::vector<Demand> plain;
        bool exclusive = false;
    };
    Alternatives alternatives(const Demand& demand);
    bool asks_nothing(const Demand& demand);  // any value satisfies it
    // Nothing: no value satisfies it.
    std::optional<Shape> shape(const Demand& plain);

private:
    struct Flat;
    void flatten(const Demanded& one, Flat& flat, int depth);
    void add_keywords(const json::value& schema, Shape& shape);
    void add_string(const json::value& schema, const json::object& object, Shape& shape);
    void add_values(const json::object& object, Shape& shape);
    void add_bounds(const json::object& object, Shape& shape);
    void add_arrays(const std::vector<const json::object*>& objects, Shape& shape);
    void add_objects(const std::vector<const json::object*>& objects, Shape& shape);
    Demand property_demand(const std::vector<const json::object*>& objects, const std::string& name, bool& allowed);
    bool matches(const std::string& pattern, const std::string& name);

    SchemaTree& tree_;
    Budget& budget_;
};

bool same_value(const json::value& a, const json::value& b);  // 1 and 1.0 are the same

}  // namespace rootstock::constrain
