#pragma once
// A packed batch as tensors on the device.

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "autograd/executor/placement.h"
#include "data/data.h"
#include "model/model.h"

namespace rootstock {

struct StagedBatch {
    std::int64_t rows = 0;
    std::int64_t tokens = 0;
    std::int64_t places = 0;             // tokens, rounded up where the kernels like it; the rest belongs to no row
    std::int64_t longest = 0;            // tokens of the longest row
    std::vector<std::int32_t> offsets;   // [rows + 1]
    std::vector<std::int32_t> ordinals;  // [rows + 1]: 0, 1, 2, ...: the offsets when each row has a single query

    torch::Tensor ids, positions, type_ids;  // int64 [places]
    torch::Tensor first;                     // int64 [rows]: each row's first token
    torch::Tensor row_of;                    // int64 [tokens]
    torch::Tensor lengths;                   // fp32 [rows]
};

// invalid_argument: an empty batch or row, or an id outside the vocabulary; too_long: a row beyond the model's
// positions.
Result<StagedBatch> stage_batch(const PackedBatch& batch, const TransformerSpec& spec, const Placement& placement);

}  // namespace rootstock
