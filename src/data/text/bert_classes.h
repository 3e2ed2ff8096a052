#pragma once
// The character classes of BERT's normaliser and pre-tokeniser, frozen.
//
// A model learned with the classes its tokenizer had on that day, so they must not move with the Unicode version
// of the machine's ICU. The reference library takes general categories from tables of Unicode 8.0 and white space
// from the property of that name; tests/golden/tokenizer_unicode.json and tokenizer_codepoints.json hold what it
// does, and the ranges here were read from it.

#include <cstdint>

namespace rootstock {

enum BertClass : std::uint8_t {
    bert_removed = 1,          // dropped by clean_text: control, format and private use, U+0000, U+FFFD
    bert_white_space = 2,      // property White_Space
    bert_chinese = 4,          // gets spaces around it
    bert_nonspacing_mark = 8,  // category Mn: an accent, once decomposed
    bert_punctuation = 16,     // ASCII punctuation and symbols, and categories P*: a word of its own
};

// The flags of a code point (0 to U+10FFFF).
std::uint8_t bert_class(std::int32_t code_point);

}  // namespace rootstock
