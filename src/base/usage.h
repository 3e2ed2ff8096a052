#pragma once
// What one request consumed, counted where it happens.

#include <cstdint>

namespace rootstock {

struct Usage {
    std::int64_t input_tokens = 0;    // tokens that entered the model, special tokens included
    std::int64_t rows = 0;            // inputs answered
    std::int64_t compute_micros = 0;  // measured device time share, microseconds of the whole machine
    std::int64_t output_tokens = 0;   // tokens that a language model wrote
    std::int64_t cached_tokens = 0;   // of input_tokens, those that an earlier prompt had left ready; charged alike
};

}  // namespace rootstock
