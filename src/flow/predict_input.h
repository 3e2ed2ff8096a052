#pragma once
// The inputs of one prediction: within limits, as tokens, as digests. Internal to flow/predict.

#include "flow/predict.h"

namespace rootstock {

// invalid_argument (none, too many), too_long (an input of too many bytes to be read at all).
Result<void> check_inputs(const PredictOrder& order, const PredictLimits& limits);

std::size_t bytes_of(const PredictOrder& order);

// One row of tokens per input. An input longer than `tokens_max` is cut when the order says so, else too_long, with a
// sentence saying by how much.
Result<std::vector<std::vector<std::int32_t>>> tokens_of(const PredictOrder& order, std::int32_t tokens_max,
                                                         const Tokenizer& tokenizer);

// SHA-256 of the text, or of the token ids' bytes.
std::string digest_of(const PredictInput& input);

}  // namespace rootstock
