#pragma once
// How JSON is spelled (RFC 8259), as expressions. White space is bounded, so that a model cannot dawdle: none, one
// space, or a new line with up to 40 spaces or 10 tabs, and only after { [ , : and before ] }.

#include <string>
#include <string_view>

#include "infer/constrain/expression.h"

namespace rootstock::constrain {

// A character of a string in its one shortest spelling: itself, or its escape where it needs one.
Part string_character(const CharacterSet& set);
// A character of a string in any spelling: itself or any escape; surrogates only in pairs.
Part any_string_character();
Part quoted(Part characters);
std::string spelled(std::string_view text);  // with its quotes, in the shortest spelling

Part digit();
// At most 18 digits, so that every reader can hold it.
Part any_integer();
// At most 18 digits before the point and 20 behind it, and an exponent below 290: within a double.
Part any_number();

// Rules that all constraints share, made when they are first asked for.
class JsonRules {
public:
    explicit JsonRules(Rules& rules) : rules_(rules) {}
    Part space();                                  // optional
    Part list(char open, Part items, char close);  // with its space; the items carry the commas, and may be empty
    Part comma();                                  // with its space
    Part member(Part key, Part value);             // "key": value
    Part string();
    Part number();
    Part integer();
    Part boolean();
    // Any value, with at most `depth` objects and arrays inside each other.
    Part value(int depth = depth_usual);
    Part object(int depth = depth_usual);
    Part array(int depth = depth_usual);

    static constexpr int depth_usual = 16;

private:
    Part once(int& rule, Part body);
    Rules& rules_;
    int space_ = -1, string_ = -1, number_ = -1, integer_ = -1, boolean_ = -1;
    std::vector<int> values_, objects_, arrays_;
};

}  // namespace rootstock::constrain
