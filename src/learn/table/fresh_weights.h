#pragma once
// A table transformer before it has learned anything.

#include <cstdint>

#include "model/model.h"

namespace rootstock {

// Weights as the authors' package draws them: what makes tokens uniform within 1/sqrt(width), maps and their biases
// within 1/sqrt(in), the biases of attention zero, norms one and zero. A missing number begins as 0.
Model fresh_table_model(const TransformerSpec& spec, std::uint64_t seed);

}  // namespace rootstock
