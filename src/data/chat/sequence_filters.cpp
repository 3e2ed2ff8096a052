#include <algorithm>

#include "data/chat/access.h"
#include "data/chat/arithmetic.h"
#include "data/chat/compare.h"
#include "data/chat/filters.h"
#include "data/chat/predicates.h"
#include "data/chat/python_text.h"
#include "data/chat/unicode.h"

namespace rootstock::chat {
namespace {

using Given = const GivenArguments&;

Result<Value> length(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    ROOTSTOCK_TRY(count, length_of(work, input));
    return Value(count);
}

Result<Value> first(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    ROOTSTOCK_TRY(items, items_of(work, input));
    return items.empty() ? Value::undefined("first of an empty sequence") : items.front();
}

Result<Value> last(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    ROOTSTOCK_TRY(items, items_of(work, input));
    return items.empty() ? Value::undefined("last of an empty sequence") : items.back();
}

Result<Value> list(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    ROOTSTOCK_TRY(items, items_of(work, input));
    return work.list(std::move(items));
}

Result<Value> join(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"d", "attribute"}));
    const auto *mark = given.find(0, "d"), *path = given.find(1, "attribute");
    ROOTSTOCK_TRY(between, mark ? text_of(work, *mark) : Result<std::string>(""));
    ROOTSTOCK_TRY(items, items_of(work, input));
    std::string made;
    for (std::size_t i = 0; i < items.size(); ++i) {
        ROOTSTOCK_TRY(item, path && !path->is_none() ? attribute_path(work, items[i], *path) : Result<Value>(items[i]));
        ROOTSTOCK_TRY(text, text_of(work, item));
        if (i > 0) made += between;
        made += text;
        ROOTSTOCK_CHECKED(work.spend((text.size() + between.size()) / 16));
        if (made.size() > work.limits().output_bytes_max) ROOTSTOCK_CHECKED(work.handle(made.size()));
    }
    return work.text(std::move(made));
}

Result<Value> fallback(Work&, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"default_value", "boolean"}));
    bool missing = input.is_undefined() || (given.truth(1, "boolean", false) && !input.truth());
    if (!missing) return input;
    const auto* value = given.find(0, "default_value");
    return value ? *value : Value(std::string());
}

Result<Value> items(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    std::vector<Value> pairs;
    if (!input.is_undefined() && !input.dict())
        return fault(fmt::format("items needs a dict, not a {}", input.type_name()));
    if (input.dict())
        for (const auto& [key, value] : input.dict()->items) {
            ROOTSTOCK_TRY(pair, work.list({key, value}, RowKind::tuple));
            pairs.push_back(std::move(pair));
        }
    return work.list(std::move(pairs), RowKind::generator);
}

// Texts in lower case unless case matters, as the reference's sorting filters compare them.
Result<Value> sort_key(Work& work, const Value& value, bool case_matters) {
    if (case_matters || !value.text()) return value;
    return work.text(lower(*value.text()));
}

Result<Value> values_of(Work& work, std::vector<Keyed> keyed) {
    std::vector<Value> values;
    for (auto& item : keyed) values.push_back(std::move(item.value));
    return work.list(std::move(values));
}

Result<Value> sort(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"reverse", "case_sensitive", "attribute"}));
    ROOTSTOCK_TRY(all, items_of(work, input));
    const auto* path = given.find(2, "attribute");
    bool case_matters = given.truth(1, "case_sensitive", false);
    std::vector<Keyed> keyed;
    for (const auto& item : all) {
        ROOTSTOCK_TRY(part, path && !path->is_none() ? attribute_path(work, item, *path) : Result<Value>(item));
        ROOTSTOCK_TRY(key, sort_key(work, part, case_matters));
        keyed.push_back({key, item});
    }
    ROOTSTOCK_CHECKED(sort_by_key(work, keyed, given.truth(0, "reverse", false)));
    return values_of(work, std::move(keyed));
}

Result<Value> sort_dict(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"case_sensitive", "by", "reverse"}));
    ROOTSTOCK_TRY(by, given.text(1, "by", "key"));
    if (by != "key" && by != "value") return fault("dictsort sorts by key or by value");
    if (input.is_undefined()) return fail_undefined(input);
    if (!input.dict()) return fault(fmt::format("dictsort needs a dict, not a {}", input.type_name()));
    bool case_matters = given.truth(0, "case_sensitive", false);
    std::vector<Keyed> keyed;
    for (const auto& [key, value] : input.dict()->items) {
        ROOTSTOCK_TRY(order, sort_key(work, by == "key" ? key : value, case_matters));
        ROOTSTOCK_TRY(pair, work.list({key, value}, RowKind::tuple));
        keyed.push_back({order, pair});
    }
    ROOTSTOCK_CHECKED(sort_by_key(work, keyed, given.truth(2, "reverse", false)));
    return values_of(work, std::move(keyed));
}

Result<Value> unique(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"case_sensitive", "attribute"}));
    ROOTSTOCK_TRY(all, items_of(work, input));
    const auto* path = given.find(1, "attribute");
    std::vector<Value> seen, kept;
    for (const auto& item : all) {
        ROOTSTOCK_TRY(part, path && !path->is_none() ? attribute_path(work, item, *path) : Result<Value>(item));
        ROOTSTOCK_TRY(key, sort_key(work, part, given.truth(0, "case_sensitive", false)));
        bool again = false;
        for (std::size_t i = 0; i < seen.size() && !again; ++i) {
            ROOTSTOCK_TRY(same, equal(work, seen[i], key));
            again = same;
        }
        if (again) continue;
        seen.push_back(key);
        kept.push_back(item);
    }
    return work.list(std::move(kept), RowKind::generator);
}

Result<Value> reverse(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    if (input.is_undefined()) return fail_undefined(input);
    ROOTSTOCK_TRY(all, items_of(work, input));
    std::ranges::reverse(all);
    if (!input.text()) return work.list(std::move(all), RowKind::generator);
    std::string made;
    for (const auto& character : all) made += *character.text();
    return work.text(std::move(made));
}

Result<Value> extreme(Work& work, const Value& input, Given given, bool greatest) {
    ROOTSTOCK_CHECKED(given.only({"case_sensitive", "attribute"}));
    ROOTSTOCK_TRY(all, items_of(work, input));
    const auto* path = given.find(1, "attribute");
    std::optional<Keyed> best;
    for (const auto& item : all) {
        ROOTSTOCK_TRY(part, path && !path->is_none() ? attribute_path(work, item, *path) : Result<Value>(item));
        ROOTSTOCK_TRY(key, sort_key(work, part, given.truth(0, "case_sensitive", false)));
        bool better = !best;
        if (best) {
            ROOTSTOCK_TRY(wins, greatest ? less(work, best->key, key) : less(work, key, best->key));
            better = wins;
        }
        if (better) best = Keyed{key, item};
    }
    return best ? best->value : Value::undefined("greatest or least of an empty sequence");
}
Result<Value> least(Work& work, const Value& input, Given given) { return extreme(work, input, given, false); }
Result<Value> greatest(Work& work, const Value& input, Given given) { return extreme(work, input, given, true); }

Result<Value> sum(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"attribute", "start"}));
    const auto *path = given.find(0, "attribute"), *start = given.find(1, "start");
    ROOTSTOCK_TRY(all, items_of(work, input));
    Value total = start ? *start : Value(std::int64_t{0});
    if (total.text()) return fault("sum cannot add texts; use join");
    for (const auto& item : all) {
        ROOTSTOCK_TRY(part, path && !path->is_none() ? attribute_path(work, item, *path) : Result<Value>(item));
        ROOTSTOCK_TRY(next, calculate(work, "+", total, part));
        total = next;
    }
    return total;
}

// The test of select and its kin: arguments from `from` on are a test's name and its own arguments; none: truth.
Result<bool> chosen(Work& work, const Value& value, Given given, std::size_t from) {
    if (given.placed.size() <= from) return value.truth();
    const auto* name = given.placed[from].text();
    if (!name) return fault("the name of a test must be a text");
    GivenArguments others{{given.placed.begin() + static_cast<std::ptrdiff_t>(from) + 1, given.placed.end()},
                          given.named};
    return apply_test(work, *name, value, others);
}

Result<Value> keep(Work& work, const Value& input, Given given, bool by_attribute, bool wanted) {
    ROOTSTOCK_TRY(all, items_of(work, input));
    if (by_attribute && given.placed.empty()) return fault("selectattr and rejectattr need the name of an attribute");
    std::vector<Value> kept;
    for (const auto& item : all) {
        ROOTSTOCK_TRY(part, by_attribute ? attribute_path(work, item, given.placed[0]) : Result<Value>(item));
        ROOTSTOCK_TRY(yes, chosen(work, part, given, by_attribute ? 1 : 0));
        if (yes == wanted) kept.push_back(item);
    }
    return work.list(std::move(kept), RowKind::generator);
}
Result<Value> select(Work& work, const Value& input, Given given) { return keep(work, input, given, false, true); }
Result<Value> reject(Work& work, const Value& input, Given given) { return keep(work, input, given, false, false); }
Result<Value> select_attribute(Work& work, const Value& input, Given given) {
    return keep(work, input, given, true, true);
}
Result<Value> reject_attribute(Work& work, const Value& input, Given given) {
    return keep(work, input, given, true, false);
}

Result<Value> mapped_attribute(Work& work, const Value& item, Given given) {
    ROOTSTOCK_TRY(value, attribute_path(work, item, *given.find(1, "attribute")));
    const auto* missing = given.find(2, "default");
    return value.is_undefined() && missing ? *missing : value;
}

Result<Value> map(Work& work, const Value& input, Given given) {
    ROOTSTOCK_TRY(all, items_of(work, input));
    bool by_attribute = given.placed.empty() && given.find(1, "attribute");
    if (!by_attribute && (given.placed.empty() || !given.placed[0].text()))
        return fault("map needs the name of a filter or attribute=");
    GivenArguments others{{given.placed.begin() + (by_attribute ? 0 : 1), given.placed.end()}, given.named};
    std::vector<Value> made;
    for (const auto& item : all) {
        ROOTSTOCK_TRY(value, by_attribute ? mapped_attribute(work, item, given)
                                          : apply_filter(work, *given.placed[0].text(), item, others));
        made.push_back(std::move(value));
    }
    return work.list(std::move(made), RowKind::generator);
}

Result<Value> batch(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"linecount", "fill_with"}));
    ROOTSTOCK_TRY(size, given.whole(0, "linecount", 0));
    if (size < 1) return fault("batch needs a size of at least 1");
    ROOTSTOCK_TRY(all, items_of(work, input));
    const auto* fill = given.find(1, "fill_with");
    std::vector<Value> rows, row;
    for (std::size_t i = 0; i < all.size(); ++i) {
        row.push_back(all[i]);
        bool full = static_cast<std::int64_t>(row.size()) == size;
        if (!full && i + 1 < all.size()) continue;
        while (fill && !fill->is_none() && static_cast<std::int64_t>(row.size()) < size) {
            ROOTSTOCK_CHECKED(work.spend(1));
            row.push_back(*fill);
        }
        ROOTSTOCK_TRY(made, work.list(std::exchange(row, {})));
        rows.push_back(std::move(made));
    }
    return work.list(std::move(rows), RowKind::generator);
}

Result<Value> attribute(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"name"}));
    ROOTSTOCK_TRY(name, given.text(0, "name", ""));
    if (input.is_undefined()) return fail_undefined(input);
    ROOTSTOCK_CHECKED(work.spend(1));
    return input.dict() ? Value::undefined(name) : attribute_of(work, input, name);
}

constexpr NamedFilter table[] = {
    {"length", length},
    {"count", length},
    {"first", first},
    {"last", last},
    {"list", list},
    {"join", join},
    {"default", fallback},
    {"d", fallback},
    {"items", items},
    {"sort", sort},
    {"dictsort", sort_dict},
    {"unique", unique},
    {"reverse", reverse},
    {"min", least},
    {"max", greatest},
    {"sum", sum},
    {"select", select},
    {"reject", reject},
    {"selectattr", select_attribute},
    {"rejectattr", reject_attribute},
    {"map", map},
    {"batch", batch},
    {"attr", attribute},
};

}  // namespace

std::span<const NamedFilter> sequence_filters() { return table; }

}  // namespace rootstock::chat
