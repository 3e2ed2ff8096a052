#pragma once
// The model's own probabilities of a token and of the best ones.

#include <span>

#include "infer/generate/write_request.h"

namespace rootstock {

// Fills logprob of token.id and the `count` best, the lower id first of equals.
void tell_chances(std::span<const float> scores, int count, WrittenToken& token);

}  // namespace rootstock
