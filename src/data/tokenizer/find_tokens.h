#pragma once
// From a text to the tokens in it: cut at added tokens, normalise, split into words, ask the model.

#include "data/tokenizer/parts.h"

namespace rootstock {

// Tokens of one text before anything is added or cut.
struct FoundTokens {
    std::vector<std::int32_t>* ids;
    std::vector<CharSpan>* offsets;  // null on the fast path

    void add(std::int32_t id, ByteSpan bytes, std::span<const CharSpan> origin) {
        ids->push_back(id);
        if (offsets) offsets->push_back({origin[bytes.begin].begin, origin[bytes.end - 1].end});
    }
};

// Appends the tokens of `text`, which is valid UTF-8. With offsets, text.origin must be given.
void find_tokens(const TokenizerParts& parts, TextView text, FoundTokens found);

// Per byte, the one code point it belongs to.
std::vector<CharSpan> identity_origin(std::string_view text);

}  // namespace rootstock
