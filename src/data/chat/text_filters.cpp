#include <algorithm>

#include "data/chat/access.h"
#include "data/chat/filters.h"
#include "data/chat/python_text.h"
#include "data/chat/text_methods.h"
#include "data/chat/unicode.h"
#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

using Given = const GivenArguments&;

template <std::string (*change)(std::string_view)>
Result<Value> changed(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    ROOTSTOCK_TRY(text, text_of(work, input));
    return work.text(change(text));
}

Result<Value> trim(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"chars"}));
    ROOTSTOCK_TRY(text, text_of(work, input));
    return call_text_method(work, text, "strip", given);
}

// Jinja's own title: a word begins after white space or one of -({[<.
std::string title_words(std::string_view text) {
    std::string made;
    bool begins = true;
    for (std::size_t at = 0; at < text.size();) {
        auto c = decode_utf8(text.substr(at));
        auto bytes = text.substr(at, c.length);
        made += begins ? upper(bytes) : lower(bytes);
        begins = is_python_space(c.code_point) ||
                 (c.code_point < 128 &&
                  std::string_view("-({[<").find(static_cast<char>(c.code_point)) != std::string_view::npos);
        at += c.length;
    }
    return made;
}

Result<Value> string(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({}));
    ROOTSTOCK_TRY(text, text_of(work, input));
    return work.text(std::move(text));
}

Result<Value> replace(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"old", "new", "count"}));
    const Value *from = given.find(0, "old"), *to = given.find(1, "new");
    if (!from || !to) return fault("replace needs two texts");
    ROOTSTOCK_TRY(text, text_of(work, input));
    ROOTSTOCK_TRY(old, text_of(work, *from));
    ROOTSTOCK_TRY(made_of, text_of(work, *to));
    ROOTSTOCK_TRY(count, given.whole(2, "count", -1));
    ROOTSTOCK_TRY(made, replaced(work, text, old, made_of, count));
    return work.text(std::move(made));
}

Result<Value> indent(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"width", "first", "blank"}));
    ROOTSTOCK_TRY(text, text_of(work, input));
    std::string margin(4, ' ');
    if (const auto* width = given.find(0, "width"); width && width->text())
        margin = *width->text();
    else {
        ROOTSTOCK_TRY(count, given.whole(0, "width", 4));
        margin.assign(static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, 10'000)), ' ');
    }
    bool first = given.truth(1, "first", false), blank = given.truth(2, "blank", false);
    ROOTSTOCK_TRY(split, call_text_method(work, text + "\n", "splitlines", {}));
    std::string made;
    const auto& lines = split.list()->items;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto& line = *lines[i].text();
        bool move = i == 0 ? first : blank || !line.empty();
        if (i > 0) made += '\n';
        if (move) made += margin;
        made += line;
        if (made.size() > work.limits().output_bytes_max) ROOTSTOCK_CHECKED(work.handle(made.size()));
    }
    return work.text(std::move(made));
}

Result<Value> to_json(Work& work, const Value& input, Given given) {
    ROOTSTOCK_CHECKED(given.only({"ensure_ascii", "indent", "separators", "sort_keys"}));
    JsonStyle style;
    style.ascii = given.truth(0, "ensure_ascii", false);
    style.sort_keys = given.truth(3, "sort_keys", false);
    if (const auto* margin = given.find(1, "indent"); margin && !margin->is_none()) {
        ROOTSTOCK_TRY(width, margin->text() ? Result<std::int64_t>(0) : given.whole(1, "indent", 0));
        style.indent = margin->text()
                           ? *margin->text()
                           : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(width, 0, 100)), ' ');
        style.item_separator = ",";
    }
    if (const auto* marks = given.find(2, "separators"); marks && !marks->is_none()) {
        const auto* pair = marks->list();
        if (!pair || pair->items.size() != 2 || !pair->items[0].text() || !pair->items[1].text())
            return fault("the separators of tojson must be two texts");
        style.item_separator = *pair->items[0].text(), style.key_separator = *pair->items[1].text();
    }
    ROOTSTOCK_TRY(text, json_of(work, input, style));
    return work.text(std::move(text));
}

Result<Value> format(Work& work, const Value& input, Given given) {
    ROOTSTOCK_TRY(pattern, text_of(work, input));
    if (!given.placed.empty() && !given.named.empty())
        return fault("format takes values by place or by name, not both");
    if (given.named.empty()) {
        ROOTSTOCK_TRY(values, work.list(given.placed, RowKind::tuple));
        return percent_format(work, pattern, values);
    }
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [key, value] : given.named) items.emplace_back(Value(key), value);
    ROOTSTOCK_TRY(values, make_dict(std::move(items)));
    return percent_format(work, pattern, values);
}

constexpr NamedFilter table[] = {
    {"trim", trim},
    {"upper", changed<upper>},
    {"lower", changed<lower>},
    {"capitalize", changed<capitalized>},
    {"title", changed<title_words>},
    {"string", string},
    {"replace", replace},
    {"indent", indent},
    {"tojson", to_json},
    {"format", format},
    {"safe", string},
};

}  // namespace

std::span<const NamedFilter> text_filters() { return table; }

}  // namespace rootstock::chat
