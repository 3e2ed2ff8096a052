#pragma once
// From the tokens of one or two texts to an Encoding: offsets trimmed, special tokens around.

#include "data/tokenizer/parts.h"
#include "data/tokenizer/truncation.h"

namespace rootstock {

// Tokens of one text before anything is added.
struct BareTokens {
    std::vector<std::int32_t> ids;
    std::vector<CharSpan> offsets;
    std::vector<std::pair<std::size_t, std::string>> spelled;  // places whose token is not spelled as in the vocabulary
};

BareTokens cut(const BareTokens& tokens, TokenRange range);

std::size_t count_special(const std::vector<TemplateStep>& steps);

Encoding assembled(const Tokenizer& tokenizer, const TokenizerParts& parts, const std::vector<TemplateStep>& steps,
                   bool with_special, BareTokens first, BareTokens second);

}  // namespace rootstock
