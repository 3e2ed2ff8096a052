#pragma once
// Layer norm (Ba et al., 2016) with fixed weights: xhat = (x - mean) / sqrt(variance + eps), y = xhat * weight + bias.
// The sums are taken in fp32. Columns are a multiple of 16.

#include <cstdint>

#include "autograd/kernels/matrix.h"

namespace rootstock {

struct NormWeights {
    const float* weight = nullptr;  // [columns]
    const float* bias = nullptr;    // [columns]
    float eps = 0;
};

// What the way back needs.
struct NormTrace {
    Matrix<Bf16> xhat;
    float* scale = nullptr;  // [rows]: 1 / sqrt(variance + eps)
};

// result = norm(left + right). `trace` may be empty (null pointers) when nothing will be differentiated.
void add_norm_forward(Matrix<const Bf16> left, Matrix<const Bf16> right, NormWeights weights, Matrix<Bf16> result,
                      NormTrace trace);

// result = the gradient of the sum (the same for left and right).
void add_norm_backward(Matrix<const Bf16> gradient, NormTrace trace, NormWeights weights, Matrix<Bf16> result);

// result[t] = norm(tokens[ids[t]] + positions[places[t]] + types[type_ids[t]]).
struct EmbeddingTables {
    const float* tokens = nullptr;
    const float* positions = nullptr;
    const float* types = nullptr;  // null: the model has none
};
struct EmbeddingIndices {
    const std::int64_t* ids = nullptr;
    const std::int64_t* places = nullptr;
    const std::int64_t* type_ids = nullptr;
};
void embed_norm_forward(EmbeddingTables tables, EmbeddingIndices indices, NormWeights weights, Matrix<Bf16> result);

}  // namespace rootstock
