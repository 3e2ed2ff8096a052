#pragma once
// Small matrix products and softmax in bfloat16 with fp32 sums, for attention and low-rank updates, on AVX-512 BF16.
// Only where cpu_has_bf16(); the same operations for every other machine stand in fp32.h under the same names.
//
// A right-hand matrix B [k, n] is packed in pairs of rows, as vdpbf16ps reads it: word [p, j] holds B[2p, j] in its low
// and B[2p + 1, j] in its high half. k is even (padded with zeros); n is any.

#include <cstddef>
#include <cstdint>

namespace rootstock::bf16 {

using Number = std::uint16_t;
using Packed = std::uint32_t;

// Words (or rows of numbers) that a packed matrix of k rows has: k / 2, rounded up.
constexpr int packed_rows(int k) { return (k + 1) / 2; }

void from_floats(const float* values, std::size_t count, Number* out);

// B = keys', packed: keys [tokens, width] at `stride` -> [width / 2, packed_stride], columns beyond tokens zero.
// width is even; packed_stride a multiple of 16, at least tokens.
void pack_columns(const Number* keys, std::size_t stride, int tokens, int width, Packed* out, int packed_stride);

// B = values, packed: [tokens, width] at `stride` -> [packed_rows(tokens), width].
void pack_rows(const Number* values, std::size_t stride, int tokens, int width, Packed* out);

// C [m, n] = A [m, k] B, each row multiplied by its factor when `factors` is given. `pairs` is k / 2.
void product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, float* c,
             std::size_t c_stride, int m, int n, int pairs, const float* factors = nullptr);
void product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Number* c,
             std::size_t c_stride, int m, int n, int pairs, const float* factors = nullptr);

// For each row: weights = exp(scale (score - largest score)), not yet divided; inverse_sums = 1 / their sum. `columns`
// of each row count; an odd count gets one zero behind it, so that rows can be read in pairs.
void softmax(const float* scores, std::size_t stride, int rows, int columns, float scale, Number* weights,
             std::size_t weights_stride, float* inverse_sums);

}  // namespace rootstock::bf16
