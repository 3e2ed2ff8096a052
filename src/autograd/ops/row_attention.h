#pragma once
// Attention over packed rows in libtorch's own operations, differentiated by libtorch:
//
//   weights = softmax(scale * queries keys^T + bias, over the keys a query may see)    result = weights values
//
// Heads that share keys and values (Ainslie et al., 2023): key_value_heads divides heads, and query head h reads the
// keys of head h / (heads / key_value_heads). Scores and softmax are fp32.

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "autograd/ops/dropout.h"
#include "autograd/ops/row_groups.h"

namespace rootstock {

struct AttentionRules {
    std::int64_t heads = 0;
    std::int64_t key_value_heads = 0;
    std::int64_t head_width = 0;
    double scale = 1;
    bool causal = false;      // query i of a row sees keys up to i
    std::int64_t window = 0;  // and with causal only keys after i - window; 0: all before
};

// What the attention weights lose while learning; nothing by default.
struct WeightDropout {
    const Dropout* dropout = nullptr;
    double share = 0;
    std::uint64_t site = 0;
};

// queries [queries, heads * head_width], keys and values [tokens, key_value_heads * head_width] ->
// [queries, heads * head_width]. `biases` is empty or has one [heads, queries, keys] for each group.
torch::Tensor row_attention(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                            const RowGroups& rows, const AttentionRules& rules,
                            const std::vector<torch::Tensor>& biases = {}, const WeightDropout& dropout = {});

}  // namespace rootstock
