#include "data/chat/compare.h"

#include <algorithm>
#include <ranges>

#include "data/chat/access.h"

namespace rootstock::chat {
namespace {

Result<bool> equal_lists(Work& work, const Row& left, const Row& right) {
    if (left.kind != right.kind || left.items.size() != right.items.size()) return false;
    for (std::size_t i = 0; i < left.items.size(); ++i) {
        ROOTSTOCK_TRY(same, equal(work, left.items[i], right.items[i]));
        if (!same) return false;
    }
    return true;
}

Result<bool> equal_dicts(Work& work, const Dict& left, const Dict& right) {
    if (left.items.size() != right.items.size()) return false;
    for (const auto& [key, value] : left.items) {
        ROOTSTOCK_CHECKED(work.spend(1 + right.items.size() / 4));
        const auto* other = right.find(key);
        if (!other) return false;
        ROOTSTOCK_TRY(same, equal(work, value, *other));
        if (!same) return false;
    }
    return true;
}

Result<bool> less_lists(Work& work, const std::vector<Value>& left, const std::vector<Value>& right) {
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        ROOTSTOCK_TRY(same, equal(work, left[i], right[i]));
        if (!same) return less(work, left[i], right[i]);
    }
    return left.size() < right.size();
}

// Merge sort: an order that fails half-way (values without one) must not upset the sort itself.
Result<void> merge_sort(Work& work, std::vector<Keyed>& items, std::vector<Keyed>& room, std::size_t begin,
                        std::size_t end, bool reverse) {
    if (end - begin < 2) return {};
    std::size_t middle = begin + (end - begin) / 2;
    ROOTSTOCK_CHECKED(merge_sort(work, items, room, begin, middle, reverse));
    ROOTSTOCK_CHECKED(merge_sort(work, items, room, middle, end, reverse));
    std::size_t left = begin, right = middle, at = begin;
    while (left < middle && right < end) {
        const Value &first = items[left].key, &second = items[right].key;
        ROOTSTOCK_TRY(swap, reverse ? less(work, first, second) : less(work, second, first));
        room[at++] = std::move(swap ? items[right++] : items[left++]);
    }
    while (left < middle) room[at++] = std::move(items[left++]);
    while (right < end) room[at++] = std::move(items[right++]);
    std::move(room.begin() + static_cast<std::ptrdiff_t>(begin), room.begin() + static_cast<std::ptrdiff_t>(end),
              items.begin() + static_cast<std::ptrdiff_t>(begin));
    return {};
}

}  // namespace

Result<bool> equal(Work& work, const Value& left, const Value& right) {
    ROOTSTOCK_CHECKED(work.spend(1));
    if (left.text() && right.text()) ROOTSTOCK_CHECKED(work.handle(left.text()->size()));
    if (left.list() && right.list()) return equal_lists(work, *left.list(), *right.list());
    if (left.dict() && right.dict()) return equal_dicts(work, *left.dict(), *right.dict());
    return equal_plain(left, right);
}

Result<bool> less(Work& work, const Value& left, const Value& right) {
    ROOTSTOCK_CHECKED(work.spend(1));
    if (left.is_undefined()) return fail_undefined(left);
    if (right.is_undefined()) return fail_undefined(right);
    std::int64_t a = 0, b = 0;
    if (left.whole(a) && right.whole(b)) return a < b;
    if (left.is_number() && right.is_number()) return left.as_double() < right.as_double();
    if (left.text() && right.text()) {
        ROOTSTOCK_CHECKED(work.handle(left.text()->size()));
        return *left.text() < *right.text();  // bytes of UTF-8 sort as code points do
    }
    if (left.list() && right.list() && left.list()->kind == right.list()->kind)
        return less_lists(work, left.list()->items, right.list()->items);
    return fault(
        fmt::format("a {} and a {} have no order; compare values of one type", left.type_name(), right.type_name()));
}

Result<bool> contains(Work& work, const Value& hay, const Value& needle) {
    if (const auto* text = hay.text()) {
        if (needle.is_undefined()) return fail_undefined(needle);
        if (!needle.text()) return fault(fmt::format("a text can only contain a text, not a {}", needle.type_name()));
        ROOTSTOCK_CHECKED(work.handle(text->size()));
        return text->find(*needle.text()) != std::string::npos;
    }
    if (const auto* dict = hay.dict()) {
        if (needle.dict() || needle.row()) return fault("a container cannot be the key of a dict; use a string");
        ROOTSTOCK_CHECKED(work.spend(dict->items.size() / 4));
        return dict->find(needle) != nullptr;
    }
    if (hay.row()) {
        ROOTSTOCK_TRY(items, items_of(work, hay));
        for (const auto& item : items) {
            ROOTSTOCK_TRY(same, equal(work, item, needle));
            if (same) return true;
        }
        return false;
    }
    if (hay.is_undefined()) return false;
    return fault(fmt::format("'in' cannot look into a {}; give it a list, a dict or a text", hay.type_name()));
}

Result<void> sort_by_key(Work& work, std::vector<Keyed>& items, bool reverse) {
    std::vector<Keyed> room(items.size());
    return merge_sort(work, items, room, 0, items.size(), reverse);
}

}  // namespace rootstock::chat
