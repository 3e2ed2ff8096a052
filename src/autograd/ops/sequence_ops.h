#pragma once
// The encoder's steps between its linear maps, each on both routes. A `slack` asks that a result (or, on the way back,
// a gradient) carries room for the low-rank columns of the linear map that reads it next (ops/panel.h); the torch route
// ignores it.

#include <torch/torch.h>

#include <cstdint>

#include "autograd/executor/placement.h"
#include "autograd/executor/staged_batch.h"

namespace rootstock {

struct Slack {
    std::int64_t result = 0;
    std::int64_t gradient = 0;
};

// The frozen weights of a layer norm, fp32.
struct Norm {
    torch::Tensor weight, bias;
    double eps = 0;
};

struct EmbeddingWeights {
    torch::Tensor tokens, positions, types;  // fp32; types undefined: the model has none
    Norm norm;
};

struct AttentionShape {
    std::int64_t heads = 0;
    std::int64_t head_width = 0;
    bool first_only = false;  // one query per row, that of its first token

    std::int64_t width() const { return heads * head_width; }
};

// norm(tokens + positions + types): [places, width]. Nothing here is trained.
torch::Tensor embed(const EmbeddingWeights& weights, const StagedBatch& batch, const Placement& placement,
                    std::int64_t slack);

// queries, keys and values side by side [places, 3 width]; or, with `keys_values` defined, queries alone and
// keys and values [places, 2 width]. Result: one line per query.
torch::Tensor attention(const torch::Tensor& queries, const torch::Tensor& keys_values, const StagedBatch& batch,
                        const AttentionShape& shape, const Placement& placement, Slack slack);

torch::Tensor gelu(const torch::Tensor& x, const Placement& placement, Slack slack);

// norm(x + residual)
torch::Tensor add_norm(const torch::Tensor& x, const torch::Tensor& residual, const Norm& norm,
                       const Placement& placement, Slack slack);

}  // namespace rootstock
