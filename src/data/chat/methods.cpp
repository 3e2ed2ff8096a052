#include "data/chat/methods.h"

#include <algorithm>

#include "data/chat/access.h"
#include "data/chat/compare.h"
#include "data/chat/loop_state.h"
#include "data/chat/text_methods.h"

namespace rootstock::chat {
namespace {

// All names Python gives the types, so that a dict's key never takes the place of a method where it would not there.
constexpr std::string_view text_names[] = {
    "capitalize",   "casefold",   "center",    "count",       "encode",    "endswith",     "expandtabs",   "find",
    "format",       "format_map", "index",     "isalnum",     "isalpha",   "isascii",      "isdecimal",    "isdigit",
    "isidentifier", "islower",    "isnumeric", "isprintable", "isspace",   "istitle",      "isupper",      "join",
    "ljust",        "lower",      "lstrip",    "maketrans",   "partition", "removeprefix", "removesuffix", "replace",
    "rfind",        "rindex",     "rjust",     "rpartition",  "rsplit",    "rstrip",       "split",        "splitlines",
    "startswith",   "strip",      "swapcase",  "title",       "translate", "upper",        "zfill"};
constexpr std::string_view list_names[] = {"copy", "count", "index"};
constexpr std::string_view tuple_names[] = {"count", "index"};
constexpr std::string_view list_changes[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
constexpr std::string_view dict_names[] = {"copy", "fromkeys", "get", "items", "keys", "values"};
constexpr std::string_view dict_changes[] = {"clear", "pop", "popitem", "setdefault", "update"};

template <typename Names>
bool among(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != std::end(names);
}

Value bound(const Value& object, std::string_view name) {
    return Value(
        Callable{Callable::Kind::method, std::string(name), std::make_shared<const Value>(object), nullptr, nullptr});
}

Value refused(std::string_view name) {
    return Value::undefined(fmt::format("{}' (templates cannot change a list or dict; build a new one) '", name));
}

Result<Value> pairs_of(Work& work, const Dict& dict) {
    std::vector<Value> pairs;
    for (const auto& [key, value] : dict.items) {
        ROOTSTOCK_TRY(pair, work.list({key, value}, RowKind::tuple));
        pairs.push_back(std::move(pair));
    }
    return work.list(std::move(pairs), RowKind::items);
}

Result<Value> call_dict_method(Work& work, const Dict& dict, std::string_view name, const GivenArguments& given) {
    if (name == "get") {
        ROOTSTOCK_CHECKED(given.only({"key", "default"}));
        const auto* key = given.find(0, "key");
        if (!key) return fault("get needs a key");
        if (key->row() || key->dict()) return fault("a container cannot be the key of a dict; use a string");
        ROOTSTOCK_CHECKED(work.spend(dict.items.size() / 4));
        if (const auto* held = dict.find(*key)) return *held;
        const auto* fallback = given.find(1, "default");
        return fallback ? *fallback : Value(None{});
    }
    ROOTSTOCK_CHECKED(given.only({}));
    if (name == "items") return pairs_of(work, dict);
    std::vector<Value> parts;
    if (name == "keys") {
        for (const auto& item : dict.items) parts.push_back(item.first);
        return work.list(std::move(parts), RowKind::keys);
    }
    if (name == "values") {
        for (const auto& item : dict.items) parts.push_back(item.second);
        return work.list(std::move(parts), RowKind::values);
    }
    if (name == "copy") return make_dict_of_different_keys(dict.items);
    return fail(ErrorCode::unsupported, fmt::format("the dict method '{}' is not known here", name));
}

Result<Value> call_list_method(Work& work, const Value& object, std::string_view name, const GivenArguments& given) {
    if (name == "copy") return object;
    ROOTSTOCK_CHECKED(given.only({"value"}));
    const auto* wanted = given.find(0, "value");
    if (!wanted) return fault(fmt::format("'{}' needs a value to look for", name));
    const auto& items = object.list()->items;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        ROOTSTOCK_TRY(same, equal(work, items[i], *wanted));
        if (same && name == "index") return Value(static_cast<std::int64_t>(i));
        count += same ? 1 : 0;
    }
    if (name == "index") return fault("the value is not in the list");
    return Value(count);
}

}  // namespace

std::optional<Value> method_of(const Value& object, std::string_view name) {
    if (object.text() && among(text_names, name)) return bound(object, name);
    if (const auto* list = object.list()) {
        if (!list->is_tuple() && among(list_changes, name)) return refused(name);
        if (list->is_tuple() ? among(tuple_names, name) : among(list_names, name)) return bound(object, name);
    }
    if (object.loop() && name == "cycle") return bound(object, name);
    if (object.dict() && among(dict_changes, name)) return refused(name);
    if (object.dict() && among(dict_names, name)) return bound(object, name);
    return std::nullopt;
}

Result<Value> call_method(Work& work, const Value& object, std::string_view name, const GivenArguments& given) {
    if (const auto* text = object.text()) return call_text_method(work, *text, name, given);
    if (const auto* dict = object.dict()) return call_dict_method(work, *dict, name, given);
    if (const auto* loop = object.loop()) {
        if (given.placed.empty()) return fault("loop.cycle needs values");
        return given.placed[loop->index % given.placed.size()];
    }
    return call_list_method(work, object, name, given);
}

}  // namespace rootstock::chat
