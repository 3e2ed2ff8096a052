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
// (widest last); after them the block types of GGUF (files/blocks.h), where 32 or 256 neighbours of a row share a
// scale.
enum class Dtype {
    boolean,
    u8,
    i8,
    f8_e5m2,
    f8_e4m3,
    i16,
    u16,
    f16,
    bf16,
    i32,
    u32,
    f32,
    f64,
    i64,
    u64,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q4_k,
    q5_k,
    q6_k
};
bool is_blocks(Dtype dtype);
bool is_weight(Dtype dtype);                           // F32, F16, BF16 or blocks: what models are made of
std::size_t size_of(Dtype dtype);                      // of an element; asserts that the type has no blocks
std::int64_t block_elements(Dtype dtype);              // 1, 32 or 256
std::size_t block_bytes(Dtype dtype);                  // of so many elements
const char* name(Dtype dtype);                         // "F32", "Q4_K"
Result<Dtype> dtype_from_name(std::string_view text);  // of a safetensors type; unsupported, naming the type

// Row-major, little-endian. `bytes` is aligned for the type and stays valid as long as `owner` lives. A tensor of
// blocks has rows of whole blocks.
struct HostTensor {
    Dtype dtype = Dtype::f32;
    std::vector<std::int64_t> shape;  // empty: a scalar
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;

    std::int64_t elements() const;
    // The elements themselves; the type must be f32 (asserted).
    std::span<const float> floats() const;
};

// Converts f32, f16, bf16 or f64 elements or blocks to fp32; `out` has elements() places. Other types assert:
// load_model and load_adapter let only these through.
void copy_as_floats(const HostTensor& tensor, std::span<float> out);
std::vector<float> to_floats(const HostTensor& tensor);

// A tensor with memory of its own.
HostTensor make_tensor(std::vector<std::int64_t> shape, std::span<const float> values);
HostTensor make_tensor(Dtype dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes);

// The same numbers as `dtype` (F32, F16, BF16, Q8_0 or Q4_0; others assert). Blocks need rows of whole blocks
// (asserted). A tensor that has the type already is returned as it is.
HostTensor converted(const HostTensor& tensor, Dtype dtype);

// Row `index` of a matrix, where it stands.
HostTensor row_of(const HostTensor& matrix, std::int64_t index);

std::string shape_text(std::span<const std::int64_t> shape);  // "[384, 1536]"

float bf16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);  // nearest, ties to even; NaN stays NaN
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_f16(float value);  // nearest, ties to even; beyond 65504 infinity

}  // namespace rootstock
