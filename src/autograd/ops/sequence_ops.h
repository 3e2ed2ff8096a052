#pragma once
// The steps between a transformer's linear maps. Those that the kernel route has too are chosen by the placement. A
// `slack` asks that a result (or, on the way back, a gradient) carries room for the low-rank columns of the linear map
// that reads it next (ops/panel.h); the torch route ignores it.

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "autograd/executor/placement.h"
#include "autograd/executor/staged_batch.h"
#include "model/model.h"

namespace rootstock {

struct Slack {
    std::int64_t result = 0;
    std::int64_t gradient = 0;
};

// A norm over each token's numbers: layer norm (Ba et al., 2016), or with the kind rms (Zhang and Sennrich, 2019) only
// a scale, weight x / sqrt(mean(x^2) + eps). The weights are fp32.
struct Norm {
    torch::Tensor weight, bias;  // rms: no bias
    double eps = 0;
    NormKind kind = NormKind::layer;

    bool defined() const { return weight.defined(); }
};

struct EmbeddingWeights {
    torch::Tensor tokens, positions, types;  // fp32 [rows, width]; undefined: the model has none
    std::int64_t position_offset = 0;        // row of the first position
    // Of images: a linear map of a patch's numbers, and tokens in front of them [width].
    torch::Tensor patch_weight, patch_bias, class_token, distillation_token;
    // Of a table's columns: lines for each number, a table for each category.
    torch::Tensor number_weight, number_bias, missing, category_bias;
    std::vector<torch::Tensor> category_tables;
    Norm norm;
};

struct AttentionShape {
    std::int64_t heads = 0;
    std::int64_t head_width = 0;
    bool first_only = false;  // one query per row, that of its first token

    std::int64_t width() const { return heads * head_width; }
};

// Tokens: norm(tokens + positions + types), whatever of it the model has: [places, width]. Patches: the special tokens
// and the projected patches of each image, plus positions. Columns: the class token, the numbers and the categories of
// each row.
torch::Tensor embed(const EmbeddingWeights& weights, const StagedBatch& batch, const Placement& placement,
                    std::int64_t slack);

// The kernel route's attention: both ways, scores divided by sqrt(head_width). queries, keys and values side by side
// [places, 3 width]; or, with `keys_values` defined, queries alone and keys and values [places, 2 width]. Result: one
// line per query.
torch::Tensor kernel_attention(const torch::Tensor& queries, const torch::Tensor& keys_values, const StagedBatch& batch,
                               const AttentionShape& shape, Slack slack);

// The kernel route has gelu_erf only.
torch::Tensor activate(const torch::Tensor& x, Activation activation, const Placement& placement, Slack slack);

torch::Tensor apply_norm(const torch::Tensor& x, const Norm& norm);

// norm(x + residual)
torch::Tensor add_norm(const torch::Tensor& x, const torch::Tensor& residual, const Norm& norm,
                       const Placement& placement, Slack slack);

}  // namespace rootstock
