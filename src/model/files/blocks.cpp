#include "model/files/blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace rootstock {

static_assert(std::endian::native == std::endian::little, "files are little-endian, and so is the memory they map to");

namespace {

constexpr int kSmall = 32;

float half_at(const std::uint8_t* at) {
    std::uint16_t bits;
    std::memcpy(&bits, at, sizeof(bits));
    return f16_to_float(bits);
}

std::uint32_t word_at(const std::uint8_t* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

// ---- blocks of 32 ----

void decode_q4_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const auto* q = block + 2;
    for (int j = 0; j < kSmall / 2; ++j) {
        out[j] = d * static_cast<float>((q[j] & 15) - 8);
        out[j + kSmall / 2] = d * static_cast<float>((q[j] >> 4) - 8);
    }
}

void decode_q4_1(const std::uint8_t* block, float* out) {
    const float d = half_at(block), m = half_at(block + 2);
    const auto* q = block + 4;
    for (int j = 0; j < kSmall / 2; ++j) {
        out[j] = d * static_cast<float>(q[j] & 15) + m;
        out[j + kSmall / 2] = d * static_cast<float>(q[j] >> 4) + m;
    }
}

// The five-bit integers of a block, whose fifth bits stand in `high`.
void five_bits(std::uint32_t high, const std::uint8_t* q, int* out) {
    for (int j = 0; j < kSmall / 2; ++j) {
        out[j] = (q[j] & 15) | static_cast<int>((high >> j & 1u) << 4);
        out[j + kSmall / 2] = (q[j] >> 4) | static_cast<int>((high >> (j + kSmall / 2) & 1u) << 4);
    }
}

void decode_q5_0(const std::uint8_t* block, float* out) {
    int q[kSmall];
    const float d = half_at(block);
    five_bits(word_at(block + 2), block + 6, q);
    for (int j = 0; j < kSmall; ++j) out[j] = d * static_cast<float>(q[j] - 16);
}

void decode_q5_1(const std::uint8_t* block, float* out) {
    int q[kSmall];
    const float d = half_at(block), m = half_at(block + 2);
    five_bits(word_at(block + 4), block + 8, q);
    for (int j = 0; j < kSmall; ++j) out[j] = d * static_cast<float>(q[j]) + m;
}

void decode_q8_0(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    const auto* q = block + 2;
    for (int j = 0; j < kSmall; ++j) out[j] = static_cast<float>(static_cast<std::int8_t>(q[j])) * d;
}

// ---- blocks of 256 ----

// The eight scales s and minima t of six bits: the first four of each in the low bits of bytes 0-3 and 4-7, the others
// with their low four bits in bytes 8-11 (s low, t high) and their upper two above the first ones'.
void six_bit_scales(const std::uint8_t* packed, float* s, float* t) {
    for (int j = 0; j < 4; ++j) {
        s[j] = static_cast<float>(packed[j] & 63);
        t[j] = static_cast<float>(packed[j + 4] & 63);
        s[j + 4] = static_cast<float>((packed[j + 8] & 15) | (packed[j] >> 2 & 48));
        t[j + 4] = static_cast<float>((packed[j + 8] >> 4) | (packed[j + 4] >> 2 & 48));
    }
}

struct PartScales {
    explicit PartScales(const std::uint8_t* block) {
        six_bit_scales(block + 4, scale, minimum);
        const float d = half_at(block), n = half_at(block + 2);
        for (int part = 0; part < 8; ++part) scale[part] = d * scale[part], minimum[part] = n * minimum[part];
    }
    float scale[8], minimum[8];
};

void decode_q4_k(const std::uint8_t* block, float* out) {
    const PartScales parts(block);
    for (int part = 0; part < 8; ++part) {
        const auto* q = block + 16 + part / 2 * 32;
        const int shift = part % 2 * 4;
        const float d = parts.scale[part], m = parts.minimum[part];
        for (int j = 0; j < 32; ++j) *out++ = d * static_cast<float>(q[j] >> shift & 15) - m;
    }
}

void decode_q5_k(const std::uint8_t* block, float* out) {
    const PartScales parts(block);
    const auto* high = block + 16;
    for (int part = 0; part < 8; ++part) {
        const auto* q = block + 48 + part / 2 * 32;
        const int shift = part % 2 * 4;
        const float d = parts.scale[part], m = parts.minimum[part];
        for (int j = 0; j < 32; ++j)
            *out++ = d * static_cast<float>((q[j] >> shift & 15) | (high[j] >> part & 1) << 4) - m;
    }
}

void decode_q6_k(const std::uint8_t* block, float* out) {
    const auto *low = block, *high = block + 128, *scales = block + 192;
    const float d = half_at(block + 208);
    for (int part = 0; part < 8; ++part) {  // 32 elements, two scales
        const auto *q = low + part / 4 * 64 + part % 2 * 32, *h = high + part / 4 * 32;
        const int low_shift = part % 4 / 2 * 4, high_shift = part % 4 * 2;
        for (int j = 0; j < 32; ++j) {
            const float scale = d * static_cast<float>(static_cast<std::int8_t>(scales[part * 2 + j / 16]));
            const int number = (q[j] >> low_shift & 15) | (h[j] >> high_shift & 3) << 4;
            *out++ = scale * static_cast<float>(number - 32);
        }
    }
}

// ---- the way back ----

void put_half(float value, std::uint8_t* at) {
    const auto bits = float_to_f16(value);
    std::memcpy(at, &bits, sizeof(bits));
}

// To the integer that a conversion cuts `value` to; what is no number, or out of range, becomes the nearest end.
int cut(float value, int low, int high) {
    if (!(value > static_cast<float>(low))) return low;
    return value < static_cast<float>(high) ? static_cast<int>(value) : high;
}

void encode_q8_0(const float* values, std::uint8_t* block) {
    float largest = 0;
    for (int j = 0; j < kSmall; ++j) largest = std::max(largest, std::abs(values[j]));
    const float d = largest / 127.0f, inverse = d == 0 ? 0 : 1 / d;
    put_half(d, block);
    for (int j = 0; j < kSmall; ++j)
        block[2 + j] = static_cast<std::uint8_t>(cut(std::round(values[j] * inverse), -128, 127));
}

void encode_q4_0(const float* values, std::uint8_t* block) {
    float extreme = values[0];  // the value farthest from zero, with its sign: it becomes exactly -8
    for (int j = 1; j < kSmall; ++j)
        if (std::abs(values[j]) > std::abs(extreme)) extreme = values[j];
    const float d = extreme / -8.0f, inverse = d == 0 ? 0 : 1 / d;
    put_half(d, block);
    const auto number = [&](int j) { return cut(values[j] * inverse + 8.5f, 0, 15); };
    for (int j = 0; j < kSmall / 2; ++j)
        block[2 + j] = static_cast<std::uint8_t>(number(j) | number(j + kSmall / 2) << 4);
}

using Decode = void (*)(const std::uint8_t*, float*);
Decode decoder(Dtype dtype) {
    switch (dtype) {
        case Dtype::q4_0:
            return decode_q4_0;
        case Dtype::q4_1:
            return decode_q4_1;
        case Dtype::q5_0:
            return decode_q5_0;
        case Dtype::q5_1:
            return decode_q5_1;
        case Dtype::q8_0:
            return decode_q8_0;
        case Dtype::q4_k:
            return decode_q4_k;
        case Dtype::q5_k:
            return decode_q5_k;
        case Dtype::q6_k:
            return decode_q6_k;
        default:
            ROOTSTOCK_CHECK(false, "only a block type is decoded by blocks");
    }
}

}  // namespace

void decode_blocks(Dtype dtype, std::span<const std::byte> blocks, std::span<float> out) {
    const auto decode = decoder(dtype);
    const auto bytes = block_bytes(dtype), elements = static_cast<std::size_t>(block_elements(dtype));
    ROOTSTOCK_CHECK(blocks.size() % bytes == 0 && out.size() == blocks.size() / bytes * elements, "blocks are whole");
    const auto* from = reinterpret_cast<const std::uint8_t*>(blocks.data());
    for (std::size_t i = 0; i < blocks.size() / bytes; ++i) decode(from + i * bytes, out.data() + i * elements);
}

void encode_blocks(Dtype dtype, std::span<const float> values, std::span<std::byte> blocks) {
    ROOTSTOCK_CHECK(dtype == Dtype::q8_0 || dtype == Dtype::q4_0, "Q8_0 and Q4_0 are written");
    const auto encode = dtype == Dtype::q8_0 ? encode_q8_0 : encode_q4_0;
    const auto bytes = block_bytes(dtype);
    ROOTSTOCK_CHECK(values.size() % kSmall == 0 && blocks.size() == values.size() / kSmall * bytes, "blocks are whole");
    auto* to = reinterpret_cast<std::uint8_t*>(blocks.data());
    for (std::size_t i = 0; i < values.size() / kSmall; ++i) encode(values.data() + i * kSmall, to + i * bytes);
}

}  // namespace rootstock
