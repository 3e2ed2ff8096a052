#pragma once
// \w as the reference library's own regular expressions have it (Unicode Technical Standard 18, Annex C, tables of
// Unicode 16), frozen: letters, marks, decimal digits, connectors. The table was read from the library.

#include <cstdint>

namespace rootstock {

bool is_word_character(std::int32_t code_point);

}  // namespace rootstock
