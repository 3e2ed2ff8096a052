#pragma once
// Added tokens: whole strings ("[MASK]") that are found in the text before anything else happens to it, or, where the
// file says "normalized", in the normalised text. Leftmost match first, among those the longest.

#include <array>

#include "data/tokenizer/pieces.h"

namespace rootstock {

struct AddedToken {
    std::string content;
    std::int32_t id = 0;
    bool single_word = false;  // only where no word character stands beside it
    bool lstrip = false;       // takes the white space on its left along
    bool rstrip = false;       // and on its right
    bool normalized = false;   // looked for in the normalised text, in its own normalised form
    bool special = false;      // left out when decoding
};

// A stretch of text: an added token, or (id < 0) what stands between them.
struct Segment {
    ByteSpan bytes;
    std::int32_t id = -1;
};

class AddedTokenMatcher {
public:
    // `pattern` is what is looked for: the content, normalised or not.
    void add(std::string pattern, const AddedToken& token);
    bool empty() const { return patterns_.empty(); }

    // Cuts `text` into segments that cover it, left to right.
    void split(std::string_view text, std::vector<Segment>& segments) const;

private:
    struct Pattern {
        std::string bytes;
        AddedToken token;
    };
    std::size_t next_candidate(std::string_view text, std::size_t at) const;
    const Pattern* match_at(std::string_view text, std::size_t at) const;

    std::vector<Pattern> patterns_;        // longest first
    std::array<bool, 256> first_bytes_{};  // bytes that patterns begin with
    std::string distinct_first_bytes_;
};

}  // namespace rootstock
