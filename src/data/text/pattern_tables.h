#pragma once
// What the reference library's patterns know of characters and PCRE2's do not: the reference has the tables of Unicode
// 16, PCRE2 10.42 those of 14. Read from the library.

#include <cstdint>
#include <span>

namespace rootstock {

struct NewerCharacters {
    std::int32_t first, last;
    char category[3];  // general category, "Lo"
};

// Characters born after Unicode 14.
std::span<const NewerCharacters> newer_characters();

// What \w matches besides the categories L, M, Nd, Nl and Pc.
std::span<const NewerCharacters> more_word_characters();

}  // namespace rootstock
