#pragma once
// Attention over packed rows (Vaswani et al., 2017): for each row of the batch and each head,
//
//   weights = softmax(scale * queries keys^T)    result = weights values
//
// without padding and without ever storing the weights: the way back computes them again from each query's
// log-sum-exp (as Dao et al., 2022). Inputs and outputs are bfloat16, everything between is fp32.

#include <cstdint>
#include <span>

#include "autograd/kernels/matrix.h"

namespace rootstock {

// Row r owns tokens [offsets[r], offsets[r + 1]) of keys and values, and queries [query_offsets[r], ...).
struct AttentionRows {
    std::span<const std::int32_t> offsets;
    std::span<const std::int32_t> query_offsets;
    std::int64_t heads = 0;
    std::int64_t head_width = 0;
    float scale = 1;

    std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

// Columns [h * head_width, ...) of each matrix belong to head h. head_width is even.
struct AttentionInputs {
    Matrix<const Bf16> queries, keys, values;
};

// log_sums [queries, heads]. Queries that belong to no row (beyond the last offset) get zeros.
void attention_forward(const AttentionRows& rows, const AttentionInputs& inputs, Matrix<Bf16> result, float* log_sums);

struct AttentionGradients {
    Matrix<Bf16> queries, keys, values;
};

void attention_backward(const AttentionRows& rows, const AttentionInputs& inputs, const float* log_sums,
                        Matrix<const Bf16> gradient, const AttentionGradients& result);

}  // namespace rootstock
