#pragma once
// Elementwise passes over rows, in fp32 and over bf16 numbers, through Highway. Those of the BERT path (add_norm,
// sum_rows) stand in fp32.h.

#include <cstddef>
#include <cstdint>

namespace rootstock::passes {

// out = norm(state) * weight + bias over `width` numbers: layer norm, or without `bias` RMS norm (Zhang and Sennrich,
// 2019). out may be state.
void layer_norm(const float* state, const float* weight, const float* bias, int width, float eps, float* out);
void rms_norm(const float* state, const float* weight, int width, float eps, float* out);

// a *= b
void multiply(float* a, const float* b, std::size_t count);
void multiply(std::uint16_t* a, const std::uint16_t* b, std::size_t count);  // bf16

// bf16 numbers as floats
void to_floats(const std::uint16_t* values, std::size_t count, float* out);

// out = weight * factor + bias over `width` numbers
void scale_add(const float* weight, const float* bias, float factor, std::size_t width, float* out);

// values = max(values, 0)
void relu(float* values, std::size_t count);

// values *= factor
void scale(float* values, std::size_t count, float factor);

// Rotary positions on one head: numbers i and i + pairs turn by the angle whose cosine and sine stand at i.
void rotate(float* head, const float* cosines, const float* sines, int pairs);
void rotate(std::uint16_t* head, const float* cosines, const float* sines, int pairs);  // bf16

}  // namespace rootstock::passes
