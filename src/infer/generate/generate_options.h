#pragma once
// How a language model shall write on, whoever asks: the generator (one caller) and the writer (many).

#include <cstdint>
#include <vector>

#include "infer/generate/sampler.h"

namespace rootstock {

enum class Finish {
    stop,       // a token that ends the text, which is not part of the ids; or the listener wanted no more
    length,     // tokens_max, or the model's longest row
    cancelled,  // the caller stopped it
    deadline    // its time ran out in the middle
};

struct GenerateOptions {
    int tokens_max = 256;                // new tokens of each text
    int tokens_min = 0;                  // no token that ends the text before so many
    std::vector<std::int32_t> stop_ids;  // besides the model's own end_ids
    SamplingOptions sampling;            // text r of a call draws with seed + r
};

// invalid_argument naming the field that is out of its range.
Result<void> check(const GenerateOptions& options);

}  // namespace rootstock
