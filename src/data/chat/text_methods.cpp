#include "data/chat/text_methods.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "data/chat/access.h"
#include "data/chat/python_text.h"
#include "data/chat/unicode.h"
#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

using View = std::string_view;

std::int64_t code_points(View text) { return static_cast<std::int64_t>(count_code_points(text)); }

Result<Value> list_of(Work& work, const std::vector<View>& parts) {
    std::vector<Value> items;
    for (auto part : parts) {
        ROOTSTOCK_TRY(item, work.text(std::string(part)));
        items.push_back(std::move(item));
    }
    return work.list(std::move(items));
}

// The characters to strip; white space when none are given.
Result<Value> stripped(Work& work, View text, View name, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"chars"}));
    const auto* chars = given.find(0, "chars");
    bool white = !chars || chars->is_none();
    ROOTSTOCK_TRY(set, white ? Result<std::string>("") : given.text(0, "chars", ""));
    ROOTSTOCK_CHECKED(work.spend(set.size() * text.size() / 16));
    if (name != "rstrip") text = white ? strip_left(text) : strip_left(text, set);
    if (name != "lstrip") text = white ? strip_right(text) : strip_right(text, set);
    return work.text(std::string(text));
}

Result<Value> begins_or_ends(Work& work, View text, bool begins, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"prefix"}));
    const auto* wanted = given.find(0, "prefix");
    if (!wanted) return fault("startswith and endswith need a text to look for");
    std::vector<Value> choices{*wanted};
    if (wanted->list() && wanted->list()->is_tuple()) choices = wanted->list()->items;
    ROOTSTOCK_CHECKED(work.spend(choices.size()));
    bool found = false;
    for (const auto& choice : choices) {
        if (choice.is_undefined()) return fail_undefined(choice);
        if (!choice.text())
            return fault(fmt::format("startswith and endswith need a text, not a {}", choice.type_name()));
        found = found || (begins ? text.starts_with(*choice.text()) : text.ends_with(*choice.text()));
    }
    return Value(found);
}

std::vector<View> split_at_spaces(View text, std::int64_t most) {
    std::vector<View> parts;
    for (text = strip_left(text); !text.empty(); text = strip_left(text)) {
        if (most == 0) return parts.push_back(text), parts;
        --most;
        std::size_t end = 0;
        while (end < text.size()) {
            auto next = decode_utf8(text.substr(end));
            if (is_python_space(next.code_point)) break;
            end += next.length;
        }
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return parts;
}

std::vector<View> split_at_spaces_from_right(View text, std::int64_t most) {
    auto parts = split_at_spaces(text, -1);
    if (most < 0 || static_cast<std::int64_t>(parts.size()) <= most + 1) return parts;
    auto kept = parts.end() - most;
    auto last = *std::prev(kept);
    std::vector<View> made{text.substr(0, static_cast<std::size_t>(last.data() + last.size() - text.data()))};
    made.insert(made.end(), kept, parts.end());
    return made;
}

std::vector<View> split_at(View text, View separator, std::int64_t most, bool from_right) {
    std::vector<View> parts;
    while (most-- != 0) {
        auto place = from_right ? text.rfind(separator) : text.find(separator);
        if (place == View::npos) break;
        auto before = text.substr(0, place), after = text.substr(place + separator.size());
        parts.push_back(from_right ? after : before);
        text = from_right ? before : after;
    }
    parts.push_back(text);
    if (from_right) std::ranges::reverse(parts);
    return parts;
}

Result<Value> split(Work& work, View text, bool from_right, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"sep", "maxsplit"}));
    ROOTSTOCK_TRY(most, given.whole(1, "maxsplit", -1));
    const auto* separator = given.find(0, "sep");
    if (!separator || separator->is_none())
        return list_of(work, from_right ? split_at_spaces_from_right(text, most) : split_at_spaces(text, most));
    ROOTSTOCK_TRY(mark, given.text(0, "sep", ""));
    if (mark.empty()) return fault("the separator of split must not be empty");
    return list_of(work, split_at(text, mark, most, from_right));
}

Result<Value> split_lines(Work& work, View text, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"keepends"}));
    bool keep = given.truth(0, "keepends", false);
    std::vector<View> lines;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        auto c = decode_utf8(text.substr(at));
        bool ends = (c.code_point >= 10 && c.code_point <= 13) || (c.code_point >= 28 && c.code_point <= 30) ||
                    c.code_point == 0x85 || c.code_point == 0x2028 || c.code_point == 0x2029;
        std::size_t next = at + c.length;
        if (ends) {
            if (c.code_point == '\r' && next < text.size() && text[next] == '\n') ++next;
            lines.push_back(text.substr(begin, (keep ? next : at) - begin));
            begin = next;
        }
        at = next;
    }
    if (begin < text.size()) lines.push_back(text.substr(begin));
    return list_of(work, lines);
}

Result<Value> joined(Work& work, View between, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"iterable"}));
    const auto* parts = given.find(0, "iterable");
    if (!parts) return fault("join needs a list");
    if (parts->is_undefined()) return Value(std::string());
    ROOTSTOCK_TRY(items, items_of(work, *parts));
    std::string made;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (!items[i].text()) return fault(fmt::format("join needs texts, but one item is a {}", items[i].type_name()));
        if (i > 0) made += between;
        made += *items[i].text();
        ROOTSTOCK_CHECKED(work.spend(1 + items[i].text()->size() / 16));
        if (made.size() > work.limits().output_bytes_max) ROOTSTOCK_CHECKED(work.handle(made.size()));
    }
    return work.text(std::move(made));
}

Result<Value> found(Work& work, View text, View name, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"sub", "start", "end"}));
    if (!given.find(0, "sub")) return fault(fmt::format("{} needs a text to look for", name));
    ROOTSTOCK_TRY(wanted, given.text(0, "sub", ""));
    auto count = code_points(text);
    auto clamped = [&](std::int64_t place) {
        return std::clamp(place < 0 ? place + count : place, std::int64_t{0}, count);
    };
    ROOTSTOCK_TRY(start, given.whole(1, "start", 0));
    ROOTSTOCK_TRY(end, given.whole(2, "end", count));
    if (start > count) return Value(std::int64_t{name == "count" ? 0 : -1});
    auto begin = byte_of(text, static_cast<std::size_t>(clamped(start)));
    auto stop = byte_of(text, static_cast<std::size_t>(clamped(end)));
    auto part = text.substr(begin, stop > begin ? stop - begin : 0);
    ROOTSTOCK_CHECKED(work.handle(text.size()));
    if (name == "count") {
        std::int64_t times = wanted.empty() ? code_points(part) + 1 : 0;
        if (!wanted.empty()) times = static_cast<std::int64_t>(split_at(part, wanted, -1, false).size()) - 1;
        return Value(times);
    }
    auto place = name.starts_with('r') ? part.rfind(wanted) : part.find(wanted);
    if (place != View::npos) return Value(code_points(text.substr(0, begin + place)));
    if (name.ends_with("index")) return fault("the text that index looks for is not there; use find");
    return Value(std::int64_t{-1});
}

Result<Value> partitioned(Work& work, View text, bool from_right, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"sep"}));
    ROOTSTOCK_TRY(mark, given.text(0, "sep", ""));
    if (mark.empty()) return fault("partition needs a separator that is not empty");
    auto place = from_right ? text.rfind(mark) : text.find(mark);
    View parts[3] = {text, "", ""};
    if (place != View::npos) {
        parts[0] = text.substr(0, place), parts[1] = mark, parts[2] = text.substr(place + mark.size());
    } else if (from_right)
        std::swap(parts[0], parts[2]);
    std::vector<Value> items;
    for (auto part : parts) {
        ROOTSTOCK_TRY(item, work.text(std::string(part)));
        items.push_back(std::move(item));
    }
    return work.list(std::move(items), RowKind::tuple);
}

// Python's is...() methods: true when there is a character and all are of the kind.
template <typename Wanted>
Value all_are(View text, Wanted wanted) {
    bool all = !text.empty();
    for (std::size_t at = 0; all && at < text.size();) {
        auto c = decode_utf8(text.substr(at));
        all = wanted(c.code_point);
        at += c.length;
    }
    return Value(all);
}

bool is_decimal(std::int32_t c) { return u_charType(c) == U_DECIMAL_DIGIT_NUMBER; }
bool is_digit(std::int32_t c) {
    auto type = u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE);
    return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}
bool is_numeric(std::int32_t c) { return u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE) != U_NT_NONE; }
bool is_letter(std::int32_t c) { return (U_GET_GC_MASK(c) & U_GC_L_MASK) != 0; }

Value one_case(View text, UProperty wanted, UProperty other) {
    bool some = false, wrong = false;
    for (std::size_t at = 0; at < text.size();) {
        auto c = decode_utf8(text.substr(at));
        some = some || u_hasBinaryProperty(c.code_point, wanted);
        wrong = wrong || u_hasBinaryProperty(c.code_point, other) || u_charType(c.code_point) == U_TITLECASE_LETTER;
        at += c.length;
    }
    return Value(some && !wrong);
}

Result<Value> is_of_kind(View text, View name) {
    if (name == "isspace") return all_are(text, is_python_space);
    if (name == "isdigit") return all_are(text, is_digit);
    if (name == "isdecimal") return all_are(text, is_decimal);
    if (name == "isnumeric") return all_are(text, is_numeric);
    if (name == "isalpha") return all_are(text, is_letter);
    if (name == "isalnum")
        return all_are(text,
                       [](std::int32_t c) { return is_letter(c) || is_decimal(c) || is_digit(c) || is_numeric(c); });
    if (name == "isascii") return Value(std::ranges::all_of(text, is_ascii));
    if (name == "isupper") return one_case(text, UCHAR_UPPERCASE, UCHAR_LOWERCASE);
    if (name == "islower") return one_case(text, UCHAR_LOWERCASE, UCHAR_UPPERCASE);
    return fail(ErrorCode::unsupported, fmt::format("the text method '{}' is not known here", name));
}

Result<Value> filled(Work& work, View text, View name, const GivenArguments& given) {
    bool zeros = name == "zfill";
    if (!given.find(0, "width")) return fault(fmt::format("{} needs a width", name));
    ROOTSTOCK_TRY(width, given.whole(0, "width", 0));
    ROOTSTOCK_TRY(with, zeros ? Result<std::string>("0") : given.text(1, "fillchar", " "));
    if (code_points(with) != 1) return fault("the fill of ljust and rjust must be one character");
    auto missing = std::max<std::int64_t>(0, width - code_points(text));
    ROOTSTOCK_CHECKED(work.handle(static_cast<std::size_t>(missing)));
    std::string fill;
    for (std::int64_t i = 0; i < missing; ++i) fill += with;
    if (name == "ljust") return work.text(std::string(text) + fill);
    std::size_t sign = zeros && (text.starts_with('+') || text.starts_with('-')) ? 1 : 0;
    return work.text(std::string(text.substr(0, sign)) + fill + std::string(text.substr(sign)));
}

}  // namespace

Result<std::string> replaced(Work& work, View text, View from, View to, std::int64_t count) {
    std::string made;
    std::size_t at = 0;
    for (; count != 0; --count) {
        ROOTSTOCK_CHECKED(work.spend(1 + to.size() / 16));
        auto place = from.empty() ? at : text.find(from, at);
        if (place == View::npos || place > text.size()) break;
        made += text.substr(at, place - at);
        made += to;
        at = place + from.size();
        if (from.empty() && at == text.size()) return made;
        if (from.empty()) {
            auto length = decode_utf8(text.substr(at)).length;
            made += text.substr(at, length);
            at += length;
        }
        if (made.size() > work.limits().output_bytes_max) ROOTSTOCK_CHECKED(work.handle(made.size()));
    }
    return made += text.substr(at);
}

Result<Value> call_text_method(Work& work, View text, View name, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(work.handle(text.size()));
    if (name == "strip" || name == "lstrip" || name == "rstrip") return stripped(work, text, name, given);
    if (name == "startswith" || name == "endswith") return begins_or_ends(work, text, name == "startswith", given);
    if (name == "split" || name == "rsplit") return split(work, text, name == "rsplit", given);
    if (name == "join") return joined(work, text, given);
    if (name == "format") return brace_format(work, text, given);
    if (name == "find" || name == "rfind" || name == "index" || name == "rindex" || name == "count")
        return found(work, text, name, given);
    if (name == "splitlines") return split_lines(work, text, given);
    if (name == "partition" || name == "rpartition") return partitioned(work, text, name == "rpartition", given);
    if (name == "zfill" || name == "ljust" || name == "rjust") return filled(work, text, name, given);
    if (name == "replace") {
        ROOTSTOCK_CHECKED(given.only({"old", "new", "count"}));
        if (!given.find(0, "old") || !given.find(1, "new")) return fault("replace needs two texts");
        ROOTSTOCK_TRY(from, given.text(0, "old", ""));
        ROOTSTOCK_TRY(to, given.text(1, "new", ""));
        ROOTSTOCK_TRY(count, given.whole(2, "count", -1));
        ROOTSTOCK_TRY(made, replaced(work, text, from, to, count));
        return work.text(std::move(made));
    }
    if (name == "removeprefix" || name == "removesuffix") {
        ROOTSTOCK_TRY(part, given.text(0, "prefix", ""));
        if (name == "removeprefix" && text.starts_with(part)) text.remove_prefix(part.size());
        if (name == "removesuffix" && text.ends_with(part)) text.remove_suffix(part.size());
        return work.text(std::string(text));
    }
    ROOTSTOCK_CHECKED(given.only({}));
    if (name == "upper") return work.text(upper(text));
    if (name == "lower") return work.text(lower(text));
    if (name == "title") return work.text(titled(text));
    if (name == "capitalize") return work.text(capitalized(text));
    return is_of_kind(text, name);
}

}  // namespace rootstock::chat
