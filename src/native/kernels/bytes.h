#pragma once
// Linear maps of few rows over weights of 8 bits. One token is bound by reading the weights once: half the bytes of
// bf16 are half the time.
//
//   W[o, i] = scale[o, i / 32] q[o, i]      q from -127 to 127, as in the blocks of GGUF's Q8_0, whose numbers come out
//                                           as they stood in the file
//
// Packed for the vector of outputs: groups of 16 outputs, each a line of blocks, a block 16 scales (fp32) and then for
// each of 32 inputs the 16 outputs' q. Inputs and sums stay fp32: nothing but the weights is rounded.

#include <cstddef>
#include <cstdint>

#include "native/kernels/linear.h"

namespace rootstock::bytes {

inline constexpr int kBlock = 32;  // inputs of one scale
inline constexpr int kGroup = 16;  // outputs side by side
inline constexpr int kRowsMax = 4;
inline constexpr std::size_t kBlockBytes = kGroup * (sizeof(float) + kBlock);

inline int groups(int out) { return (out + kGroup - 1) / kGroup; }
std::size_t packed_bytes(int in, int out);

// Rounds weights [out, in] to 8 bits and packs them; `weights` become the numbers that the packed ones stand for.
void pack(float* weights, int in, int out, void* packed);

// sums [rows, groups(out) x 16], at columns of groups [begin, end): x W', for at most kRowsMax rows. x [rows, in] at
// `x_stride`, in rounded up to whole blocks with zeros.
void product(const void* packed, const float* x, std::size_t x_stride, int rows, int in, int begin, int end,
             float* sums, std::size_t sums_stride);

// y = after(sums + bias (+ y)) over `count` neighbouring outputs.
void finish(const float* sums, const float* bias, bool add, After after, std::size_t count, float* y);
void finish(const float* sums, const float* bias, bool add, After after, std::size_t count, std::uint16_t* y);  // bf16

// x as fp32.
void to_floats(const std::uint16_t* x, std::size_t count, float* out);

}  // namespace rootstock::bytes
