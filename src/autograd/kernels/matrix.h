#pragma once
// Views of row-major matrices in memory that somebody else owns, and huge-page memory for weights.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rootstock {

using Bf16 = std::uint16_t;  // the bits of a bfloat16

// `stride` counts elements from one row to the next.
template <typename T>
struct Matrix {
    T* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t stride = 0;

    T* row(std::int64_t index) const { return data + index * stride; }
    bool dense() const { return stride == columns; }
    Matrix columns_from(std::int64_t first, std::int64_t count) const { return {data + first, rows, count, stride}; }
    operator Matrix<const T>() const { return {data, rows, columns, stride}; }
};

// Nearest, ties to even.
inline Bf16 to_bf16(float value) {
    auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<Bf16>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
inline float from_bf16(Bf16 bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

// Zeroed memory on huge pages where the system gives them: weights are read once a step, and with small pages the
// address look-ups cost three times the reading (9 against 31 GB/s measured).
struct HugeFree {
    std::size_t bytes = 0;
    void operator()(void* memory) const;
};
using HugeMemory = std::unique_ptr<void, HugeFree>;
HugeMemory allocate_huge(std::size_t bytes);

}  // namespace rootstock
