#pragma once
// The block types of GGUF: neighbours of a row share a scale, which makes 4 to 8 bits a weight of them. A row is a
// whole number of blocks. Scales are fp16; numbers are little-endian; q is the small integer of an element.
//
//   Q4_0  d | 16 bytes of q         32 elements: d (q - 8); low halves of the bytes first, then high halves
//   Q4_1  d m | 16 bytes of q       32: d q + m
//   Q5_0  d | u32 h | 16 bytes      32: d (q - 16), bit j of h is the fifth bit of element j
//   Q5_1  d m | u32 h | 16 bytes    32: d q + m
//   Q8_0  d | 32 x i8               32: d q
//   Q4_K  d n | 12 bytes | 128      256 in 8 parts: (d s) q - (n t); s and t of 6 bits stand in the 12 bytes
//   Q5_K  d n | 12 bytes | 32 | 128 256: the same with a fifth bit, part p in bit p of the 32 bytes
//   Q6_K  128 | 64 | 16 x i8 | d    256 in 16 parts: (d s) (q - 32); four low bits in the 128, two high in the 64 bytes
//
// Decoding and encoding are those of the reference (the gguf package of Python), to the last bit: every product and
// sum is rounded by itself, so this file is compiled without fused multiply-add.

#include <cstddef>
#include <span>

#include "model/files/host_tensor.h"

namespace rootstock {

// Whole blocks (asserted); `out` has the place of their elements.
void decode_blocks(Dtype dtype, std::span<const std::byte> blocks, std::span<float> out);

// Q8_0 and Q4_0 (others assert); `values` fill whole blocks.
void encode_blocks(Dtype dtype, std::span<const float> values, std::span<std::byte> blocks);

}  // namespace rootstock
