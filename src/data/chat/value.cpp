#include "data/chat/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "data/chat/loop_state.h"

namespace rootstock::chat {
namespace {

template <typename Parts>
Result<int> depth_over(const Parts& parts) {
    int depth = 0;
    for (const auto& part : parts) depth = std::max(depth, part.depth());
    if (depth >= value_depth_max)
        return fail(ErrorCode::too_large,
                    fmt::format("lists and dicts are nested deeper than {} levels; flatten them", value_depth_max), {},
                    "chat_template_limit");
    return depth + 1;
}

bool equal_numbers(const Value& left, const Value& right) {
    std::int64_t a = 0, b = 0;
    if (left.whole(a) && right.whole(b)) return a == b;
    return left.as_double() == right.as_double();
}

}  // namespace

Value Value::undefined(std::string_view name) {
    Value value;
    value.held_ = Undefined{std::make_shared<const std::string>(name)};
    return value;
}

const std::string* Value::text() const {
    const auto* held = std::get_if<Text>(&held_);
    return held ? held->get() : nullptr;
}

const Row* Value::row() const {
    const auto* held = std::get_if<std::shared_ptr<const Row>>(&held_);
    return held ? held->get() : nullptr;
}

const Row* Value::list() const {
    const auto* held = row();
    return held && (held->kind == RowKind::list || held->is_tuple()) ? held : nullptr;
}

const Dict* Value::dict() const {
    const auto* held = std::get_if<std::shared_ptr<const Dict>>(&held_);
    return held ? held->get() : nullptr;
}

const Callable* Value::callable() const {
    const auto* held = std::get_if<std::shared_ptr<const Callable>>(&held_);
    return held ? held->get() : nullptr;
}

LoopState* Value::loop() const {
    const auto* held = std::get_if<LoopRef>(&held_);
    return held ? held->get() : nullptr;
}

const std::int64_t* Value::whole(std::int64_t& room) const {
    if (const auto* truth = boolean())
        room = *truth ? 1 : 0;
    else if (const auto* number = std::get_if<std::int64_t>(&held_))
        room = *number;
    else
        return nullptr;
    return &room;
}

double Value::as_double() const {
    if (const auto* number = real()) return *number;
    std::int64_t room = 0;
    const auto* number = whole(room);
    return number ? static_cast<double>(*number) : 0.0;
}

std::string Value::undefined_name() const {
    const auto* held = std::get_if<Undefined>(&held_);
    return held && held->name ? *held->name : "value";
}

const char* Value::type_name() const {
    static constexpr const char* names[] = {"Undefined", "NoneType", "bool",      "int",         "float",   "str",
                                            "list",      "dict",     "Namespace", "LoopContext", "function"};
    static constexpr const char* rows[] = {"list",       "tuple", "dict_keys", "dict_values",
                                           "dict_items", "range", "generator"};
    if (const auto* held = row()) return rows[static_cast<std::size_t>(held->kind)];
    return names[held_.index()];
}

bool Value::truth() const {
    if (is_undefined() || is_none()) return false;
    if (is_number()) return as_double() != 0.0;
    if (const auto* held = text()) return !held->empty();
    if (const auto* held = row()) return held->kind == RowKind::generator || !held->items.empty();
    if (const auto* held = dict()) return !held->items.empty();
    return true;
}

int Value::depth() const {
    if (const auto* held = row()) return held->depth;
    if (const auto* held = dict()) return held->depth;
    if (const auto* held = callable(); held && held->receiver) return held->receiver->depth() + 1;
    if (const auto* held = loop()) return held->depth + 1;
    return 0;
}

const Value* Dict::find(const Value& key) const {
    for (const auto& [name, value] : items)
        if (equal_plain(name, key)) return &value;
    return nullptr;
}

const Value* Dict::find(std::string_view key) const {
    for (const auto& [name, value] : items)
        if (const auto* text = name.text(); text && *text == key) return &value;
    return nullptr;
}

Result<Value> make_list(std::vector<Value> items, RowKind kind) {
    ROOTSTOCK_TRY(depth, depth_over(items));
    Value value;
    value.held_ = std::make_shared<const Row>(Row{std::move(items), kind, depth});
    return value;
}

Result<Value> make_dict(std::vector<std::pair<Value, Value>> items) {
    std::vector<std::pair<Value, Value>> kept;
    for (auto& [key, item] : items) {
        if (key.dict() || key.row())
            return fault(fmt::format("a {} cannot be the key of a dict; use a string", key.type_name()));
        auto present = std::ranges::find_if(kept, [&](const auto& other) { return equal_plain(other.first, key); });
        if (present != kept.end())
            present->second = std::move(item);
        else
            kept.emplace_back(std::move(key), std::move(item));
    }
    return make_dict_of_different_keys(std::move(kept));
}

Result<Value> make_dict_of_different_keys(std::vector<std::pair<Value, Value>> items) {
    ROOTSTOCK_TRY(depth, depth_over(items | std::views::values));
    Value value;
    value.held_ = std::make_shared<const Dict>(Dict{std::move(items), depth});
    return value;
}

bool equal_plain(const Value& left, const Value& right) {
    if (left.is_number() && right.is_number()) return equal_numbers(left, right);
    if (left.text() && right.text()) return *left.text() == *right.text();
    if (left.row() || right.row()) return left.row() == right.row();
    if (left.space() && right.space()) return left.space()->number == right.space()->number;
    if (left.loop() || right.loop()) return left.loop() == right.loop();
    if (left.callable() || right.callable()) return left.callable() == right.callable();
    return (left.is_none() && right.is_none()) || (left.is_undefined() && right.is_undefined());
}

Result<Value> from_json(const json::value& value) {
    if (value.is_null()) return Value(None{});
    if (const auto* truth = value.if_bool()) return Value(*truth);
    if (const auto* number = value.if_int64()) return Value(*number);
    if (value.is_uint64())
        return fail(ErrorCode::unsupported, "a whole number is above 9223372036854775807; write it as a string");
    if (const auto* number = value.if_double()) return Value(*number);
    if (const auto* text = value.if_string()) return Value(std::string(*text));
    if (const auto* array = value.if_array()) {
        std::vector<Value> items;
        for (const auto& item : *array) {
            ROOTSTOCK_TRY(converted, from_json(item));
            items.push_back(std::move(converted));
        }
        return make_list(std::move(items));
    }
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [key, item] : value.get_object()) {
        ROOTSTOCK_TRY(converted, from_json(item));
        items.emplace_back(Value(std::string(key)), std::move(converted));
    }
    return make_dict_of_different_keys(std::move(items));
}

std::unexpected<Error> fail_undefined(const Value& value) {
    return fault(fmt::format("'{}' is undefined; give the template this value, or test it with 'is defined' first",
                             value.undefined_name()));
}

std::unexpected<Error> fault(std::string sentence) {
    return fail(ErrorCode::invalid_argument, std::move(sentence), {}, "chat_template_fault");
}

}  // namespace rootstock::chat
