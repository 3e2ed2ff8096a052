#pragma once
// Tensors in host memory: a type, a shape and bytes that stand in a mapped file or in memory of their own.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

// The element types of safetensors that are whole bytes wide, in order of alignment as its reference writer sorts them
// (widest last).
enum class Dtype { boolean, u8, i8, f8_e5m2, f8_e4m3, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

std::size_t size_of(Dtype dtype);
const char* name(Dtype dtype);                         // "F32"
Result<Dtype> dtype_from_name(std::string_view text);  // unsupported, naming the type

// Row-major, little-endian. `bytes` is aligned for the type and stays valid as long as `owner` lives.
struct HostTensor {
    Dtype dtype = Dtype::f32;
    std::vector<std::int64_t> shape;  // empty: a scalar
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;

    std::int64_t elements() const;
    // The elements themselves; the type must be f32 (asserted).
    std::span<const float> floats() const;
};

// Converts f32, f16, bf16 or f64 elements to fp32; `out` has elements() places. Other types assert: load_model and
// load_adapter let only these through.
void copy_as_floats(const HostTensor& tensor, std::span<float> out);
std::vector<float> to_floats(const HostTensor& tensor);

// A tensor with memory of its own.
HostTensor make_tensor(std::vector<std::int64_t> shape, std::span<const float> values);

std::string shape_text(std::span<const std::int64_t> shape);  // "[384, 1536]"

float bf16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);  // nearest, ties to even; NaN stays NaN
float f16_to_float(std::uint16_t bits);

}  // namespace rootstock
