#pragma once
// Added tokens: whole strings ("[MASK]") that are found in the text before anything else happens to it, or, where the
// file says "normalized", in the normalised text. Leftmost match first, among those the longest.

#include <array>
#include <unordered_map>

#include "data/tokenizer/byte_trie.h"
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

// All of a tokenizer, by id and by content. Where an id or a content comes twice, the later one counts.
class AddedTokens {
public:
    void add(AddedToken token);
    const AddedToken* by_id(std::int32_t id) const;
    const AddedToken* by_content(std::string_view content) const;
    const std::vector<AddedToken>& all() const { return tokens_; }  // as added

private:
    std::vector<AddedToken> tokens_;
    std::unordered_map<std::int32_t, std::size_t> by_id_;
    std::unordered_map<std::string, std::size_t> by_content_;
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
    bool empty() const { return tokens_.empty(); }

    // Cuts `text` into segments that cover it, left to right.
    void split(std::string_view text, std::vector<Segment>& segments) const;

private:
    struct Match {
        const AddedToken* token = nullptr;
        std::size_t length = 0;
    };
    std::size_t next_candidate(std::string_view text, std::size_t at) const;
    Match match_at(std::string_view text, std::size_t at) const;

    std::vector<AddedToken> tokens_;
    ByteTrie patterns_;                    // values are indices into tokens_
    std::array<bool, 256> first_bytes_{};  // bytes that patterns begin with
    std::string distinct_first_bytes_;
};

}  // namespace rootstock
