#pragma once
// How the reference library keeps track of where text came from while it is rewritten: a list of new characters, each
// with a number. 0: it takes the place of the next old character; -n: the same, and n old characters after that one
// are gone; above 0: it is inserted, and shares the place of the old byte before it.

#include "data/tokenizer/pieces.h"

namespace rootstock {

struct Rewritten {
    std::int32_t code_point = 0;
    std::int32_t change = 0;
};

// Appends the new text to `out`.
void rewrite_text(TextView in, std::span<const Rewritten> characters, TextBuffer& out);

// Appends text that shares one place.
void append_from(std::string_view bytes, CharSpan origin, bool tracked, TextBuffer& out);

// Appends in.bytes[begin, end) as it is.
void append_part(TextView in, std::size_t begin, std::size_t end, TextBuffer& out);

// The place of something inserted at byte `at` of `in`: that of the byte before it.
CharSpan place_before(TextView in, std::size_t at);

}  // namespace rootstock
