#pragma once
// The inputs of one prediction: within limits, as tokens, as digests. Internal to flow/predict.

#include "flow/predict.h"

namespace rootstock {

// invalid_argument (none, too many), too_long (an input of too many bytes to be read at all).
Result<void> check_inputs(const PredictOrder& order, const PredictLimits& limits);

std::size_t bytes_of(const PredictOrder& order);

// What the model takes, one for each input: tokens, or pictures as its reader makes them.
struct PredictRows {
    std::vector<std::vector<std::int32_t>> ids;
    std::vector<std::vector<float>> pictures;
};

// Texts for a model that reads, pictures for one that sees; else unsupported. An input longer than `tokens_max` is cut
// when the order says so, else too_long, with a sentence saying by how much. A picture: invalid_argument (reasons
// "not_an_image", "damaged_image"), too_large
// ("image_too_large"), told by its header before anything is decoded.
Result<PredictRows> rows_of(const PredictOrder& order, std::int32_t tokens_max, const ServedModel& model);

// SHA-256 of the text, of the token ids' bytes, or of the picture's file.
std::string digest_of(const PredictInput& input);

}  // namespace rootstock
