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

}  // namespace rootstock
