#include "data/text/utf8.h"

#include <algorithm>
#include <cstring>

#include "data/reader/reader.h"
#include "data/text/bert_classes.h"

namespace rootstock {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

// Length of the sequence that a lead byte announces; 0 when no sequence begins with it.
std::size_t announced_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

// The smallest code point that needs so many bytes: below it the form is overlong.
constexpr std::int32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

// First byte that is not ASCII, eight at a time.
std::size_t skip_ascii(std::string_view bytes, std::size_t at) {
    for (; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + at, 8);
        if (word & high_bits) break;
    }
    while (at < bytes.size() && is_ascii(bytes[at])) ++at;
    return at;
}

}  // namespace

DecodedCodePoint decode_utf8(std::string_view bytes) {
    auto lead = static_cast<unsigned char>(bytes[0]);
    auto length = announced_length(lead);
    if (length == 1) return {lead, 1};
    if (length == 0 || length > bytes.size()) return {};
    std::int32_t code_point = lead & (0x7F >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation_byte(bytes[i])) return {};
        code_point = (code_point << 6) | (static_cast<unsigned char>(bytes[i]) & 0x3F);
    }
    bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < smallest[length] || code_point > 0x10FFFF || surrogate) return {};
    return {code_point, length};
}

CharacterStart character_start(std::string_view bytes) {
    auto lead = static_cast<unsigned char>(bytes[0]);
    auto length = announced_length(lead);
    if (length <= 1) return {1, length == 1, false};
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (std::size_t i = 1; i < length; ++i) {
        if (i == bytes.size()) return {i, false, true};
        auto byte = static_cast<unsigned char>(bytes[i]);
        if (byte < low || byte > high) return {i, false, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true, false};
}

std::string to_valid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        auto start = character_start(bytes);
        text += start.whole ? bytes.substr(0, start.length) : std::string_view("\xEF\xBF\xBD");
        bytes.remove_prefix(start.length);
    }
    return text;
}

void append_utf8(std::string& text, std::int32_t c) {
    auto put = [&](std::int32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (c < 0x80) return put(c);
    if (c < 0x800) return put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
    if (c < 0x10000) return put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
    put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
}

std::size_t count_code_points(std::string_view valid_text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(valid_text, [](char byte) { return !is_continuation_byte(byte); }));
}

std::string_view trim_white_space(std::string_view text) {
    while (!text.empty()) {
        auto first = decode_utf8(text);
        if (first.length == 0 || !(bert_class(first.code_point) & bert_white_space)) break;
        text.remove_prefix(first.length);
    }
    while (!text.empty()) {
        auto begin = text.size() - 1;
        while (begin > 0 && is_continuation_byte(text[begin])) --begin;
        auto last = decode_utf8(text.substr(begin));
        if (last.length == 0 || !(bert_class(last.code_point) & bert_white_space)) break;
        text.remove_suffix(text.size() - begin);
    }
    return text;
}

std::size_t find_invalid_utf8(std::string_view bytes) {
    for (std::size_t at = skip_ascii(bytes, 0); at < bytes.size(); at = skip_ascii(bytes, at)) {
        auto length = decode_utf8(bytes.substr(at)).length;
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

}  // namespace rootstock
