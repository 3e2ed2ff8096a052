#pragma once
// A schema document: where each part of it stands, what a reference means, and which keywords there are.

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/base.h"
#include "infer/constrain/budget.h"

namespace rootstock::constrain {

class SchemaTree {
public:
    // `root` must stay where it is.
    SchemaTree(const json::value& root, bool strict, Budget& budget);

    const json::value& root() const { return root_; }

    // The parts of a schema that are looked at, checked: an object or a boolean, whose keywords are all known and have
    // the right types. Refuses by name and place what cannot be compiled.
    const json::object& checked(const json::value& schema);

    // What "$ref" points at; refuses references to elsewhere.
    const json::value& target(const json::value& schema, std::string_view reference);

    static bool asks_something(std::string_view keyword);  // false: titles, definitions and such

    std::string place(const json::value& part) const;   // "#/properties/a"
    std::size_t number(const json::value& part) const;  // in the order of the document
    [[noreturn]] void unsupported(const json::value& schema, std::string_view keyword, std::string_view why) const;
    [[noreturn]] void wrong(const json::value& schema, std::string_view keyword, std::string_view what) const;

private:
    void find_places(const json::value& value, const std::string& place, int depth);
    void check_keyword(const json::value& schema, std::string_view name, const json::value& value) const;
    void check_strict(const json::value& schema, const json::object& object) const;

    const json::value& root_;
    bool strict_;
    Budget& budget_;
    struct Place {
        std::string name;
        std::size_t number;
    };
    std::unordered_map<const json::value*, Place> places_;
    std::unordered_map<const json::value*, bool> checked_;
};

// Readers of keywords that checked() has looked at; nothing where the keyword is absent.
const json::value* keyword(const json::object& schema, std::string_view name);
std::optional<std::int64_t> count_of(const json::object& schema, std::string_view name);
std::optional<double> number_of(const json::object& schema, std::string_view name);
double number_of(const json::value& value);

}  // namespace rootstock::constrain
