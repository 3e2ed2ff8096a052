#pragma once
// Low-rank products on AMX tiles: a tile instruction multiplies 16 x 32 by 32 x 16 numbers in 16 cycles, sixteen times
// what vectors do. Only where cpu_has_tiles(); bf16.h has the same products on vectors, for every shape.

#include "native/kernels/bf16.h"

namespace rootstock::tiles {

constexpr int kPairs = 16;    // of inner numbers in one step
constexpr int kColumns = 16;  // of one tile of results

// C [m, n] = A [m, 2 pairs] B, with B packed as bf16.h says: the down half of an update, where the inner side is long
// and n are the ranks. `pairs` is a multiple of kPairs.
void deep_product(const bf16::Number* a, std::size_t a_stride, const bf16::Packed* b, std::size_t b_stride,
                  bf16::Number* c, std::size_t c_stride, int m, int n, int pairs);

// The same for the up half, where the inner side are the ranks: `pairs` is at most kPairs, n a multiple of kColumns.
void wide_product(const bf16::Number* a, std::size_t a_stride, const bf16::Packed* b, std::size_t b_stride, float* c,
                  std::size_t c_stride, int m, int n, int pairs);
void wide_product(const bf16::Number* a, std::size_t a_stride, const bf16::Packed* b, std::size_t b_stride,
                  bf16::Number* c, std::size_t c_stride, int m, int n, int pairs);

}  // namespace rootstock::tiles
