#pragma once
// BERT's words: separated by white space, every punctuation character a word of its own.

#include "data/tokenizer/pieces.h"

namespace rootstock {

class BertPreTokenizer final : public PreTokenizer {
public:
    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;
};

}  // namespace rootstock
