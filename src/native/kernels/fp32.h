#pragma once
// The operations of bf16.h in fp32, and the elementwise passes that both precisions share, through Highway: the best
// instructions of the machine are chosen when first called. Nothing needs packing in pairs here: packed rows are rows.

#include <cstddef>
#include <cstdint>

namespace rootstock::fp32 {

using Number = float;
using Packed = float;

constexpr int packed_rows(int k) { return k; }

// keys [tokens, width] at `stride` -> [width, packed_stride], columns beyond tokens zero.
void pack_columns(const float* keys, std::size_t stride, int tokens, int width, float* out, int packed_stride);

// values [tokens, width] at `stride` -> [tokens, width]
void pack_rows(const float* values, std::size_t stride, int tokens, int width, float* out);

// C [m, n] = A [m, k] B [k, n], each row multiplied by its factor when `factors` is given.
void product(const float* a, std::size_t a_stride, const float* b, std::size_t b_stride, float* c, std::size_t c_stride,
             int m, int n, int k, const float* factors = nullptr);

// See bf16::softmax.
void softmax(const float* scores, std::size_t stride, int rows, int columns, float scale, float* weights,
             std::size_t weights_stride, float* inverse_sums);

// state = norm(state + update) * weight + bias over `width` numbers (layer norm, Ba et al., 2016). update may be null.
void add_norm(float* state, const float* update, const float* weight, const float* bias, int width, float eps);

// out = a + b + c (c may be null)
void sum_rows(const float* a, const float* b, const float* c, int width, float* out);

// Mean over the rows of states [tokens, width], then divided by its Euclidean norm.
void mean_normalised(const float* states, int tokens, int width, float* out);

// out [rows] = weights [rows, width] x + bias
void matrix_vector(const float* weights, const float* bias, const float* x, int rows, int width, float* out);

}  // namespace rootstock::fp32
