#pragma once
// From a text to the tokens in it: cut at added tokens, normalise, split into words, ask the model.

#include <functional>

#include "data/tokenizer/parts.h"

namespace rootstock {

// Tokens of one text before anything is added or cut.
struct FoundTokens {
    std::vector<std::int32_t>* ids;
    std::vector<CharSpan>* offsets;  // null on the fast path
    // Tokens that are spelled as the text they were found in, by their place: added tokens with the white space they
    // took along, unknown ones of Unigram. Null on the fast path.
    std::vector<std::pair<std::size_t, std::string>>* spelled = nullptr;

    void spell(std::string_view text) {
        if (spelled) spelled->emplace_back(ids->size(), text);
    }

    void add(std::int32_t id, ByteSpan bytes, std::span<const CharSpan> origin) {
        ids->push_back(id);
        if (!offsets) return;
        // A model that drops characters it has no token for counts short, so a span may point beyond the text or be
        // empty; the reference then gives the byte numbers themselves.
        bool inside = bytes.begin < bytes.end && bytes.end <= origin.size();
        offsets->push_back(
            inside ? CharSpan{origin[bytes.begin].begin, origin[bytes.end - 1].end}
                   : CharSpan{static_cast<std::int32_t>(bytes.begin), static_cast<std::int32_t>(bytes.end)});
    }
};

// Appends the tokens of `text`, which is valid UTF-8. With offsets, text.origin must be given. Throws TokenizingFault.
void find_tokens(const TokenizerParts& parts, TextView text, FoundTokens found);

// Calls take(word) for every word that `text` has after normalizing and pre-tokenizing, added tokens left out: what a
// trainer counts. Throws TokenizingFault.
void each_word(const TokenizerParts& parts, std::string_view text, const std::function<void(std::string_view)>& take);

// Per byte, the one code point it belongs to.
std::vector<CharSpan> identity_origin(std::string_view text);

}  // namespace rootstock
