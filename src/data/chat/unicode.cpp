#include "data/chat/unicode.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

std::string from_icu(const icu::UnicodeString& text) {
    std::string bytes;
    text.toUTF8String(bytes);
    return bytes;
}

icu::UnicodeString to_icu(std::string_view text) {
    return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

std::string title_of(std::string_view character) {
    return from_icu(to_icu(character).toTitle(nullptr, icu::Locale::getRoot(), U_TITLECASE_NO_LOWERCASE));
}

bool has_case(std::int32_t code_point) { return u_hasBinaryProperty(code_point, UCHAR_CASED); }

// The last code point of a text that is not empty, and its length.
DecodedCodePoint last_of(std::string_view text) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_continuation_byte(text[begin])) --begin;
    return {decode_utf8(text.substr(begin)).code_point, text.size() - begin};
}

template <typename Wanted>
std::string_view drop_left(std::string_view text, Wanted wanted) {
    while (!text.empty()) {
        auto first = decode_utf8(text);
        if (first.length == 0 || !wanted(first.code_point, text.substr(0, first.length))) break;
        text.remove_prefix(first.length);
    }
    return text;
}

template <typename Wanted>
std::string_view drop_right(std::string_view text, Wanted wanted) {
    while (!text.empty()) {
        auto last = last_of(text);
        if (!wanted(last.code_point, text.substr(text.size() - last.length))) break;
        text.remove_suffix(last.length);
    }
    return text;
}

auto is_space = [](std::int32_t code_point, std::string_view) { return is_python_space(code_point); };

auto is_of(std::string_view set) {
    return [set](std::int32_t, std::string_view character) { return set.find(character) != std::string_view::npos; };
}

}  // namespace

bool is_python_space(std::int32_t c) {
    if (c < 128) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view strip_left(std::string_view text) { return drop_left(text, is_space); }
std::string_view strip_right(std::string_view text) { return drop_right(text, is_space); }
std::string_view strip_left(std::string_view text, std::string_view set) { return drop_left(text, is_of(set)); }
std::string_view strip_right(std::string_view text, std::string_view set) { return drop_right(text, is_of(set)); }

std::string upper(std::string_view text) { return from_icu(to_icu(text).toUpper(icu::Locale::getRoot())); }
std::string lower(std::string_view text) { return from_icu(to_icu(text).toLower(icu::Locale::getRoot())); }

std::string capitalized(std::string_view text) {
    if (text.empty()) return {};
    auto first = decode_utf8(text).length;
    return title_of(text.substr(0, first)) + lower(text).substr(lower(text.substr(0, first)).size());
}

std::string titled(std::string_view text) {
    std::string made;
    bool inside = false;
    for (std::size_t at = 0; at < text.size();) {
        auto character = decode_utf8(text.substr(at));
        auto bytes = text.substr(at, character.length);
        made += inside ? lower(bytes) : title_of(bytes);
        inside = has_case(character.code_point);
        at += character.length;
    }
    return made;
}

std::size_t byte_of(std::string_view text, std::size_t index) {
    std::size_t at = 0;
    for (; index > 0 && at < text.size(); --index) {
        ++at;
        while (at < text.size() && is_continuation_byte(text[at])) ++at;
    }
    return at;
}

}  // namespace rootstock::chat
