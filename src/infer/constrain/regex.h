#pragma once
// Regular expressions to expressions. Only regular ones: what needs a memory or a look around is refused by name.

#include <functional>

#include "infer/constrain/expression.h"

namespace rootstock::constrain {

// How one character of a set is spelled in the text: as it is, or as a JSON string spells it.
using Spelling = std::function<Part(const CharacterSet&)>;

// `found_anywhere`: without ^ or $ the text may go on at that end (JSON Schema's "pattern"); else all of it matches.
Part read_regex(std::string_view pattern, bool found_anywhere, const Spelling& spelling, Budget& budget);

// A class by its escape: d, D, w, W, s, S.
struct CharacterClass {
    CharacterSet sure;      // in the class in every dialect
    CharacterSet possible;  // in some
    CharacterClass opposite() const {
        return {CharacterSet::all().without(possible), CharacterSet::all().without(sure)};
    }
};
CharacterClass class_of_letter(char letter);
// By ICU's notation, "[:Lu:]"; empty when there is no such class.
CharacterSet unicode_set(std::string_view icu_pattern);

}  // namespace rootstock::constrain
