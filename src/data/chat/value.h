#pragma once
// What a chat template computes with: the values of Python that templates see, as one small variant type. Lists and
// dicts are shared and never change after they are made (the reference renders in a sandbox that forbids it), so a
// value can hold no cycle; nesting is bounded where containers are made.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/base.h"

namespace rootstock::chat {

class Value;
struct Macro;      // syntax.h
struct Scope;      // evaluator.h
struct LoopState;  // evaluator.h

struct Undefined {
    std::shared_ptr<const std::string> name;  // what was looked for, for the message; may be null
};
struct None {};

// What a row of values is in Python. A list or tuple is data; the others can only be gone over (a range also be
// indexed), have no form in JSON, and a generator, which most sequence filters give, can be gone over once.
enum class RowKind { list, tuple, keys, values, items, range, generator };

struct Row {
    std::vector<Value> items;
    RowKind kind = RowKind::list;
    int depth = 1;
    mutable bool used = false;  // of a generator: it has been gone over
    bool is_tuple() const { return kind == RowKind::tuple; }
};

// Keeps the order in which keys were added. Keys are compared by value; dicts of templates are small.
struct Dict {
    std::vector<std::pair<Value, Value>> items;
    int depth = 1;
    const Value* find(const Value& key) const;
    const Value* find(std::string_view key) const;
};

// The only thing a template can change: namespace(). Owned by the evaluator, known here by its number.
struct NamespaceRef {
    std::size_t number = 0;
};

// Something that can be called: a built-in function, a method of `receiver`, or a macro with the scope it saw.
struct Callable {
    enum class Kind { function, method, macro } kind = Kind::function;
    std::string name;
    std::shared_ptr<const Value> receiver;
    const Macro* macro = nullptr;
    Scope* scope = nullptr;
};

using Text = std::shared_ptr<const std::string>;
using LoopRef = std::shared_ptr<LoopState>;

class Value {
public:
    Value() : held_(Undefined{}) {}
    Value(None none) : held_(none) {}
    explicit Value(bool truth) : held_(truth) {}
    explicit Value(std::int64_t number) : held_(number) {}
    explicit Value(double number) : held_(number) {}
    explicit Value(std::string text) : held_(std::make_shared<const std::string>(std::move(text))) {}
    explicit Value(LoopRef loop) : held_(std::move(loop)) {}
    explicit Value(NamespaceRef place) : held_(place) {}
    explicit Value(Callable callable) : held_(std::make_shared<const Callable>(std::move(callable))) {}
    static Value undefined(std::string_view name);

    bool is_undefined() const { return std::holds_alternative<Undefined>(held_); }
    bool is_none() const { return std::holds_alternative<None>(held_); }
    const bool* boolean() const { return std::get_if<bool>(&held_); }
    const double* real() const { return std::get_if<double>(&held_); }
    const std::string* text() const;
    const Row* row() const;   // any row
    const Row* list() const;  // only a list or tuple
    const Dict* dict() const;
    const Callable* callable() const;
    const NamespaceRef* space() const { return std::get_if<NamespaceRef>(&held_); }
    LoopState* loop() const;
    bool is_integer() const { return std::holds_alternative<std::int64_t>(held_); }
    bool is_number() const { return boolean() || is_integer() || real(); }
    // A whole number; true counts as 1, as in Python.
    const std::int64_t* whole(std::int64_t& room) const;
    double as_double() const;  // of a number
    std::string undefined_name() const;

    const char* type_name() const;  // Python's word: "str", "NoneType", ...
    bool truth() const;
    int depth() const;  // 0 for a plain value, else the nesting of the container

private:
    friend Result<Value> make_list(std::vector<Value> items, RowKind kind);
    friend Result<Value> make_dict_of_different_keys(std::vector<std::pair<Value, Value>> items);

    std::variant<Undefined, None, bool, std::int64_t, double, Text, std::shared_ptr<const Row>,
                 std::shared_ptr<const Dict>, NamespaceRef, LoopRef, std::shared_ptr<const Callable>>
        held_;
};

constexpr int value_depth_max = 100;  // containers inside containers

// too_large: nested deeper than value_depth_max.
Result<Value> make_list(std::vector<Value> items, RowKind kind = RowKind::list);
// A key that comes again replaces the value and keeps the first place. invalid_argument: a key that is a container.
Result<Value> make_dict(std::vector<std::pair<Value, Value>> items);

// The same in one pass, where nothing can come twice (JSON).
Result<Value> make_dict_of_different_keys(std::vector<std::pair<Value, Value>> items);

// Python's == for anything but lists and dicts: numbers by value across types. compare.h has the whole ==.
bool equal_plain(const Value& left, const Value& right);

// unsupported: a number outside 64 bits.
Result<Value> from_json(const json::value& value);

// The sentence for a use of something that is not there: "'name' is undefined; ...".
std::unexpected<Error> fail_undefined(const Value& value);
// An expected failure of the template or its data.
std::unexpected<Error> fault(std::string sentence);

}  // namespace rootstock::chat
