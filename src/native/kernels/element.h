#pragma once
// The two number formats in which activations travel between kernels. bf16 is kept as its 16 bits.

#include <cstddef>
#include <cstdint>

namespace rootstock {

enum class Element { fp32, bf16 };

constexpr std::size_t size_of(Element element) { return element == Element::fp32 ? 4 : 2; }

constexpr int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace rootstock
