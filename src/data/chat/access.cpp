#include "data/chat/access.h"

#include <algorithm>
#include <charconv>

#include "data/chat/loop_state.h"
#include "data/chat/methods.h"
#include "data/chat/unicode.h"
#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

std::int64_t size_of(const Row& list) { return static_cast<std::int64_t>(list.items.size()); }

Result<Value> character_at(Work& work, const std::string& text, std::int64_t index) {
    ROOTSTOCK_CHECKED(work.handle(text.size()));
    if (index < 0) index += static_cast<std::int64_t>(count_code_points(text));
    if (index < 0 || index >= static_cast<std::int64_t>(text.size())) return Value::undefined("index");
    auto begin = byte_of(text, static_cast<std::size_t>(index));
    if (begin >= text.size()) return Value::undefined("index");
    return Value(text.substr(begin, decode_utf8(std::string_view(text).substr(begin)).length));
}

Result<Value> loop_member(Work& work, const LoopState& loop, std::string_view name) {
    auto count = static_cast<std::int64_t>(loop.items.size()), index = static_cast<std::int64_t>(loop.index);
    if (name == "index") return Value(index + 1);
    if (name == "index0") return Value(index);
    if (name == "revindex") return Value(count - index);
    if (name == "revindex0") return Value(count - index - 1);
    if (name == "length") return Value(count);
    if (name == "depth") return Value(std::int64_t{1});
    if (name == "depth0") return Value(std::int64_t{0});
    if (name == "first") return Value(index == 0);
    if (name == "last") return Value(index + 1 == count);
    if (name == "previtem")
        return index > 0 ? loop.items[loop.index - 1] : Value::undefined("there is no previous item");
    if (name == "nextitem")
        return index + 1 < count ? loop.items[loop.index + 1] : Value::undefined("there is no next item");
    ROOTSTOCK_CHECKED(work.spend(1));
    return Value::undefined(fmt::format("loop.{}", name));
}

// Python's rules for start, stop and step, worked out on a sequence of `count` items.
struct Range {
    std::int64_t start = 0, stop = 0, step = 1;
};

Result<std::int64_t> bound(const Value* given, std::int64_t fallback, std::int64_t count, std::int64_t low,
                           std::int64_t high) {
    if (!given || given->is_none()) return fallback;
    if (given->is_undefined()) return fail_undefined(*given);
    std::int64_t room = 0;
    if (!given->whole(room)) return fault(fmt::format("a slice needs whole numbers, not a {}", given->type_name()));
    if (room < 0) room += count;
    return std::clamp(room, low, high);
}

Result<Range> range_of(const SliceBounds& bounds, std::int64_t count) {
    Range range;
    if (bounds.step && !bounds.step->is_none()) {
        if (!bounds.step->whole(range.step)) return fault("the step of a slice must be a whole number");
        if (range.step == 0) return fault("the step of a slice must not be 0");
        range.step = std::clamp(range.step, -count - 1, count + 1);
    }
    bool back = range.step < 0;
    std::int64_t low = back ? -1 : 0, high = back ? count - 1 : count;
    ROOTSTOCK_TRY(start, bound(bounds.start, back ? high : low, count, low, high));
    ROOTSTOCK_TRY(stop, bound(bounds.stop, back ? low : high, count, low, high));
    range.start = start;
    range.stop = stop;
    return range;
}

template <typename Items>
Items pick(const Items& items, const Range& range) {
    Items picked;
    for (auto at = range.start; range.step > 0 ? at < range.stop : at > range.stop; at += range.step)
        picked.push_back(items[static_cast<std::size_t>(at)]);
    return picked;
}

std::vector<std::string_view> characters_of(std::string_view text) {
    std::vector<std::string_view> characters;
    while (!text.empty()) {
        auto length = decode_utf8(text).length;
        characters.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return characters;
}

}  // namespace

Result<Value> item_of(Work& work, const Value& object, const Value& index) {
    if (object.is_undefined()) return fail_undefined(object);
    std::int64_t place = 0;
    const auto* list = object.row();
    if (list && (object.list() || list->kind == RowKind::range) && index.whole(place)) {
        if (place < 0) place += size_of(*list);
        if (place < 0 || place >= size_of(*list)) return Value::undefined("index");
        return list->items[static_cast<std::size_t>(place)];
    }
    if (const auto* text = object.text(); text && index.whole(place)) return character_at(work, *text, place);
    if (const auto* dict = object.dict(); dict && !index.row() && !index.dict()) {
        ROOTSTOCK_CHECKED(work.spend(dict->items.size() / 4));
        if (const auto* held = dict->find(index)) return *held;
    }
    if (const auto* name = index.text()) {
        if (object.loop()) return loop_member(work, *object.loop(), *name);
        if (auto method = method_of(object, *name)) return *method;
        return Value::undefined(*name);
    }
    return Value::undefined("index");
}

Result<Value> attribute_of(Work& work, const Value& object, std::string_view name) {
    if (object.is_undefined()) return fail_undefined(object);
    if (object.loop() && name != "cycle") return loop_member(work, *object.loop(), name);
    if (auto method = method_of(object, name)) return *method;
    if (const auto* dict = object.dict()) {
        ROOTSTOCK_CHECKED(work.spend(dict->items.size() / 4));
        if (const auto* held = dict->find(name)) return *held;
    }
    return Value::undefined(name);
}

Result<Value> attribute_path(Work& work, const Value& object, const Value& path) {
    if (!path.text()) return item_of(work, object, path);
    Value at = object;
    std::string_view rest = *path.text();
    for (;;) {
        auto dot = rest.find('.');
        auto part = rest.substr(0, dot);
        std::int64_t index = 0;
        auto read = std::from_chars(part.data(), part.data() + part.size(), index);
        bool number = !part.empty() && read.ec == std::errc() && read.ptr == part.data() + part.size() && index >= 0;
        ROOTSTOCK_CHECKED(work.spend(1));
        ROOTSTOCK_TRY(next, item_of(work, at, number ? Value(index) : Value(std::string(part))));
        at = next;
        if (dot == std::string_view::npos) return at;
        rest.remove_prefix(dot + 1);
    }
}

Result<Value> slice_of(Work& work, const Value& object, const SliceBounds& bounds) {
    if (object.is_undefined()) return fail_undefined(object);
    if (const auto* list = object.list()) {
        ROOTSTOCK_TRY(range, range_of(bounds, size_of(*list)));
        return work.list(pick(list->items, range), list->kind);
    }
    if (const auto* text = object.text()) {
        ROOTSTOCK_CHECKED(work.spend(text->size()));
        auto characters = characters_of(*text);
        ROOTSTOCK_TRY(range, range_of(bounds, static_cast<std::int64_t>(characters.size())));
        std::string made;
        for (auto character : pick(characters, range)) made += character;
        return work.text(std::move(made));
    }
    return fault(fmt::format("a {} cannot be sliced; give a list or a text", object.type_name()));
}

Result<std::vector<Value>> items_of(Work& work, const Value& value) {
    std::vector<Value> items;
    if (value.is_undefined()) return items;
    if (const auto* row = value.row()) {
        if (row->kind == RowKind::generator && std::exchange(row->used, true)) return items;
        ROOTSTOCK_CHECKED(work.spend(row->items.size()));
        return row->items;
    }
    if (const auto* dict = value.dict()) {
        ROOTSTOCK_CHECKED(work.spend(dict->items.size()));
        for (const auto& item : dict->items) items.push_back(item.first);
        return items;
    }
    if (const auto* text = value.text()) {
        ROOTSTOCK_CHECKED(work.spend(text->size()));
        for (auto character : characters_of(*text)) items.emplace_back(std::string(character));
        return items;
    }
    return fault(fmt::format("a {} cannot be gone over; give a list, a dict or a text", value.type_name()));
}

Result<std::int64_t> length_of(Work& work, const Value& value) {
    if (value.is_undefined()) return std::int64_t{0};
    if (const auto* row = value.row(); row && row->kind != RowKind::generator) return size_of(*row);
    if (const auto* dict = value.dict()) return static_cast<std::int64_t>(dict->items.size());
    if (const auto* loop = value.loop()) return static_cast<std::int64_t>(loop->items.size());
    if (const auto* text = value.text()) {
        ROOTSTOCK_CHECKED(work.handle(text->size()));
        return static_cast<std::int64_t>(count_code_points(*text));
    }
    return fault(fmt::format("a {} has no length", value.type_name()));
}

}  // namespace rootstock::chat
