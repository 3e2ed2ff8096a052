#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/kernels/bytes.cpp"
#include <hwy/foreach_target.h>
// Highway compiles this file once per instruction set; what follows is seen by each of them.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/kernels/bytes.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock::bytes::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kGroup>;
using V = hn::Vec<D>;
using Bits = hn::RebindToUnsigned<D>;
using Halves = hn::Rebind<std::uint16_t, D>;

inline std::size_t lanes() { return hn::Lanes(D()); }

// q of neighbouring outputs as floats
HWY_INLINE V load(const std::int8_t* q) {
    const D d;
    const hn::RebindToSigned<D> whole;
    const hn::Rebind<std::int8_t, D> narrow;
    return hn::ConvertTo(d, hn::PromoteTo(whole, hn::LoadU(narrow, q)));
}

// ROWS rows against the vector of outputs that begins at `lane` of a group. Several sums side by side hide the latency
// of each.
template <int ROWS>
HWY_INLINE void part(const char* group, std::size_t lane, const float* x, std::size_t x_stride, int blocks, float* sums,
                     std::size_t sums_stride) {
    const D d;
    constexpr int kChains = ROWS == 1 ? 4 : 2;
    V totals[ROWS];
    for (auto& total : totals) total = hn::Zero(d);
    for (int block = 0; block < blocks; ++block, group += kBlockBytes, x += kBlock) {
        const auto* q = reinterpret_cast<const std::int8_t*>(group + kGroup * sizeof(float)) + lane;
        V chains[ROWS][kChains];
        for (auto& row : chains)
            for (auto& chain : row) chain = hn::Zero(d);
        for (std::size_t i = 0; i < kBlock; i += kChains)
            for (std::size_t c = 0; c < kChains; ++c) {
                const auto weights = load(q + (i + c) * kGroup);
                for (std::size_t r = 0; r < ROWS; ++r)
                    chains[r][c] = hn::MulAdd(hn::Set(d, x[r * x_stride + i + c]), weights, chains[r][c]);
            }
        const auto scales = hn::LoadU(d, reinterpret_cast<const float*>(group) + lane);
        for (int r = 0; r < ROWS; ++r) {
            auto sum = hn::Add(chains[r][0], chains[r][1]);
            if constexpr (kChains == 4) sum = hn::Add(sum, hn::Add(chains[r][2], chains[r][3]));
            totals[r] = hn::MulAdd(scales, sum, totals[r]);
        }
    }
    for (std::size_t r = 0; r < ROWS; ++r) hn::StoreU(totals[r], d, sums + r * sums_stride);
}

template <int ROWS>
HWY_INLINE void product_of(const char* packed, const float* x, std::size_t x_stride, int blocks, int begin, int end,
                           float* sums, std::size_t sums_stride) {
    for (int group = begin; group < end; ++group) {
        const auto* at = packed + static_cast<std::size_t>(group) * static_cast<std::size_t>(blocks) * kBlockBytes;
        for (std::size_t lane = 0; lane < kGroup; lane += lanes())
            part<ROWS>(at, lane, x, x_stride, blocks, sums + static_cast<std::size_t>(group) * kGroup + lane,
                       sums_stride);
    }
}

void Product(const void* packed, const float* x, std::size_t x_stride, int rows, int in, int begin, int end,
             float* sums, std::size_t sums_stride) {
    const auto* at = static_cast<const char*>(packed);
    const int blocks = (in + kBlock - 1) / kBlock;
    switch (rows) {
        case 1:
            return product_of<1>(at, x, x_stride, blocks, begin, end, sums, sums_stride);
        case 2:
            return product_of<2>(at, x, x_stride, blocks, begin, end, sums, sums_stride);
        case 3:
            return product_of<3>(at, x, x_stride, blocks, begin, end, sums, sums_stride);
        default:
            return product_of<4>(at, x, x_stride, blocks, begin, end, sums, sums_stride);
    }
}

// x / (1 + exp(-alpha x))
HWY_INLINE V swish(V x, float alpha) {
    const D d;
    return hn::Div(x, hn::Add(hn::Set(d, 1), hn::Exp(d, hn::Mul(x, hn::Set(d, -alpha)))));
}

// As the error function has no vector of its own here: one by one.
HWY_INLINE V gelu_erf(V x) {
    HWY_ALIGN float values[kGroup];
    hn::StoreU(x, D(), values);
    for (std::size_t i = 0; i < lanes(); ++i) values[i] = 0.5f * values[i] * (1 + std::erf(values[i] * 0.70710678f));
    return hn::LoadU(D(), values);
}

HWY_INLINE V gelu_tanh(V x) {
    const D d;
    const auto cube = hn::Mul(hn::Mul(x, x), x);
    const auto inside = hn::Mul(hn::Set(d, 0.79788456f), hn::MulAdd(cube, hn::Set(d, 0.044715f), x));
    return hn::Mul(hn::Mul(hn::Set(d, 0.5f), x), hn::Add(hn::Set(d, 1), hn::Tanh(d, inside)));
}

HWY_INLINE V apply(After after, V x) {
    switch (after) {
        case After::gelu_erf:
            return gelu_erf(x);
        case After::gelu_tanh:
            return gelu_tanh(x);
        case After::gelu_quick:
            return swish(x, 1.702f);
        case After::relu:
            return hn::Max(x, hn::Zero(D()));
        case After::silu:
            return swish(x, 1);
        case After::tanh:
            return hn::Tanh(D(), x);
        default:
            return x;
    }
}

HWY_INLINE V load_y(const float* y) { return hn::LoadU(D(), y); }
HWY_INLINE V load_y(const std::uint16_t* y) {
    return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(Bits(), hn::LoadU(Halves(), y))));
}

HWY_INLINE void store_y(V values, float* y) { hn::StoreU(values, D(), y); }
// To nearest, ties to even.
HWY_INLINE void store_y(V values, std::uint16_t* y) {
    const Bits bits;
    const auto word = hn::BitCast(bits, values);
    const auto odd = hn::And(hn::ShiftRight<16>(word), hn::Set(bits, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(word, hn::Add(odd, hn::Set(bits, 0x7fff))));
    hn::StoreU(hn::DemoteTo(Halves(), hn::BitCast(hn::RebindToSigned<D>(), rounded)), Halves(), y);
}

template <typename Number>
HWY_INLINE void finish_of(const float* sums, const float* bias, bool add, After after, std::size_t count, Number* y) {
    const D d;
    const auto one = [&](const float* from, const float* by, Number* to) HWY_ATTR {
        auto sum = hn::Add(hn::LoadU(d, from), hn::LoadU(d, by));
        if (add) sum = hn::Add(sum, load_y(to));
        store_y(apply(after, sum), to);
    };
    std::size_t i = 0;
    for (; i + lanes() <= count; i += lanes()) one(sums + i, bias + i, y + i);
    if (i == count) return;
    float last_sums[kGroup] = {}, last_bias[kGroup] = {};
    Number last_y[kGroup] = {};
    std::memcpy(last_sums, sums + i, (count - i) * sizeof(float));
    std::memcpy(last_bias, bias + i, (count - i) * sizeof(float));
    std::memcpy(last_y, y + i, (count - i) * sizeof(Number));
    one(last_sums, last_bias, last_y);
    std::memcpy(y + i, last_y, (count - i) * sizeof(Number));
}

void FinishFloats(const float* sums, const float* bias, bool add, After after, std::size_t count, float* y) {
    finish_of(sums, bias, add, after, count, y);
}

void FinishBf16(const float* sums, const float* bias, bool add, After after, std::size_t count, std::uint16_t* y) {
    finish_of(sums, bias, add, after, count, y);
}

}  // namespace rootstock::bytes::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rootstock::bytes {

HWY_EXPORT(Product);
HWY_EXPORT(FinishFloats);
HWY_EXPORT(FinishBf16);

std::size_t packed_bytes(int in, int out) {
    const auto blocks = static_cast<std::size_t>((in + kBlock - 1) / kBlock);
    return static_cast<std::size_t>(groups(out)) * blocks * kBlockBytes;
}

namespace {

// One block of one output: `values` [count], and where its scale and its q (every 16th byte) stand.
void pack_block(float* values, int count, float* scale, std::int8_t* q) {
    float largest = 0;
    for (int i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
    *scale = largest / 127;
    for (int i = 0; i < count; ++i) {
        const auto rounded = *scale > 0 ? std::lrint(values[i] / *scale) : 0;
        q[i * kGroup] = static_cast<std::int8_t>(rounded);
        values[i] = *scale * static_cast<float>(rounded);
    }
}

}  // namespace

void pack(float* weights, int in, int out, void* packed) {
    const int blocks = (in + kBlock - 1) / kBlock;
    std::memset(packed, 0, packed_bytes(in, out));
    for (int o = 0; o < out; ++o)
        for (int block = 0; block < blocks; ++block) {
            const auto index = static_cast<std::size_t>(o / kGroup) * static_cast<std::size_t>(blocks) +
                               static_cast<std::size_t>(block);
            auto* scales = reinterpret_cast<float*>(static_cast<char*>(packed) + index * kBlockBytes);
            auto* q = reinterpret_cast<std::int8_t*>(scales + kGroup);
            pack_block(weights + static_cast<std::size_t>(o) * static_cast<std::size_t>(in) + block * kBlock,
                       std::min(kBlock, in - block * kBlock), scales + o % kGroup, q + o % kGroup);
        }
}

void product(const void* packed, const float* x, std::size_t x_stride, int rows, int in, int begin, int end,
             float* sums, std::size_t sums_stride) {
    HWY_DYNAMIC_DISPATCH(Product)
    (packed, x, x_stride, rows, in, begin, end, sums, sums_stride);
}

void finish(const float* sums, const float* bias, bool add, After after, std::size_t count, float* y) {
    HWY_DYNAMIC_DISPATCH(FinishFloats)(sums, bias, add, after, count, y);
}

void finish(const float* sums, const float* bias, bool add, After after, std::size_t count, std::uint16_t* y) {
    HWY_DYNAMIC_DISPATCH(FinishBf16)(sums, bias, add, after, count, y);
}

void to_floats(const std::uint16_t* x, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t word = std::uint32_t{x[i]} << 16;
        std::memcpy(out + i, &word, sizeof(word));
    }
}

}  // namespace rootstock::bytes
#endif
