#pragma once
// How many tokens of each text stay.

#include "data/tokenizer/tokenizer.h"

namespace rootstock {

struct Lengths {
    std::size_t first = 0, second = 0;
};

// `room`: how many tokens of both texts together may stay; SIZE_MAX without a limit.
// invalid_argument: the strategy's text alone cannot give enough.
Result<Lengths> truncated(Lengths full, bool pair, std::size_t room, Truncation strategy);

// Tokens [begin, end) of a text.
struct TokenRange {
    std::size_t begin = 0, end = 0;
};

// The parts that a text of `full` tokens falls into when `kept` may stay: the one that stays first, and with
// options.overflow the others. invalid_argument: the stride is not below the length of a part.
Result<std::vector<TokenRange>> token_parts(std::size_t full, std::size_t kept, const EncodeOptions& options);

}  // namespace rootstock
