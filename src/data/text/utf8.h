#pragma once
// UTF-8 (RFC 3629), strict: no surrogates, no overlong forms, nothing above U+10FFFF.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rootstock {

constexpr std::int32_t invalid_code_point = -1;

struct DecodedCodePoint {
    std::int32_t code_point = invalid_code_point;
    std::size_t length = 0;  // bytes; 0 when invalid
};

// The code point at the beginning of `bytes`, which must not be empty.
DecodedCodePoint decode_utf8(std::string_view bytes);

// How many bytes at the beginning of `bytes` belong to one character or to the start of one: all of a whole character;
// else the longest part that could begin one, at least 1 (Unicode Standard, 3.9, maximal subparts).
struct CharacterStart {
    std::size_t length = 0;
    bool whole = false;
    bool open = false;  // the bytes end before the character does
};
CharacterStart character_start(std::string_view bytes);

// Any bytes as valid text: each maximal part that is no character becomes U+FFFD.
std::string to_valid_utf8(std::string_view bytes);

void append_utf8(std::string& text, std::int32_t code_point);

// Code points of a valid text.
std::size_t count_code_points(std::string_view valid_text);

// Without white space (property White_Space) at both ends; the text must be valid.
std::string_view trim_white_space(std::string_view valid_text);

constexpr bool is_continuation_byte(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }
constexpr bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }

}  // namespace rootstock
