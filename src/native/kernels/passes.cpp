#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/kernels/passes.cpp"
#include <hwy/foreach_target.h>
// Highway compiles this file once per instruction set; what follows is seen by each of them.
#include <hwy/highway.h>

#include <cmath>
#include <cstring>

#include "native/kernels/passes.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock::passes::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using Bits = hn::RebindToUnsigned<D>;
using Halves = hn::Rebind<std::uint16_t, D>;

inline std::size_t lanes() { return hn::Lanes(D()); }

// Numbers of both formats as vectors of floats; bf16 rounds to nearest, ties to even.
HWY_INLINE V load(const float* from) { return hn::LoadU(D(), from); }
HWY_INLINE void store(V values, float* to) { hn::StoreU(values, D(), to); }

HWY_INLINE V load(const std::uint16_t* from) {
    return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(Bits(), hn::LoadU(Halves(), from))));
}

HWY_INLINE void store(V values, std::uint16_t* to) {
    const Bits bits;
    const auto word = hn::BitCast(bits, values);
    const auto odd = hn::And(hn::ShiftRight<16>(word), hn::Set(bits, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(word, hn::Add(odd, hn::Set(bits, 0x7fff))));
    hn::StoreU(hn::DemoteTo(Halves(), hn::BitCast(hn::RebindToSigned<D>(), rounded)), Halves(), to);
}

inline float as_float(float value) { return value; }
inline float as_float(std::uint16_t value) {
    const std::uint32_t word = std::uint32_t{value} << 16;
    float number;
    std::memcpy(&number, &word, sizeof(number));
    return number;
}

inline void put(float value, float* place) { *place = value; }
inline void put(float value, std::uint16_t* place) {
    std::uint32_t word;
    std::memcpy(&word, &value, sizeof(word));
    *place = static_cast<std::uint16_t>((word + ((word >> 16) & 1) + 0x7fff) >> 16);
}

HWY_INLINE float total(V values) { return hn::GetLane(hn::SumOfLanes(D(), values)); }

// Sum of (x - centre)^2
float squares(const float* x, std::size_t n, float centre) {
    const D d;
    const auto middle = hn::Set(d, centre);
    auto sum = hn::Zero(d);
    std::size_t i = 0;
    for (; i + lanes() <= n; i += lanes()) {
        const auto v = hn::Sub(hn::LoadU(d, x + i), middle);
        sum = hn::MulAdd(v, v, sum);
    }
    float rest = 0;
    for (; i < n; ++i) rest += (x[i] - centre) * (x[i] - centre);
    return total(sum) + rest;
}

float sum_of(const float* x, std::size_t n) {
    const D d;
    auto sum = hn::Zero(d);
    std::size_t i = 0;
    for (; i + lanes() <= n; i += lanes()) sum = hn::Add(sum, hn::LoadU(d, x + i));
    float rest = 0;
    for (; i < n; ++i) rest += x[i];
    return total(sum) + rest;
}

void LayerNorm(const float* state, const float* weight, const float* bias, int width, float eps, float* out) {
    const D d;
    const auto n = static_cast<std::size_t>(width);
    const float mean = sum_of(state, n) / static_cast<float>(width);
    const float spread = 1.0f / std::sqrt(squares(state, n, mean) / static_cast<float>(width) + eps);
    const auto centre = hn::Set(d, mean), factor = hn::Set(d, spread);
    std::size_t i = 0;
    for (; i + lanes() <= n; i += lanes()) {
        const auto x = hn::Mul(hn::Sub(hn::LoadU(d, state + i), centre), factor);
        hn::StoreU(hn::MulAdd(x, hn::LoadU(d, weight + i), hn::LoadU(d, bias + i)), d, out + i);
    }
    for (; i < n; ++i) out[i] = (state[i] - mean) * spread * weight[i] + bias[i];
}

void RmsNorm(const float* state, const float* weight, int width, float eps, float* out) {
    const D d;
    const auto n = static_cast<std::size_t>(width);
    const float spread = 1.0f / std::sqrt(squares(state, n, 0) / static_cast<float>(width) + eps);
    const auto factor = hn::Set(d, spread);
    std::size_t i = 0;
    for (; i + lanes() <= n; i += lanes())
        hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, state + i), factor), hn::LoadU(d, weight + i)), d, out + i);
    for (; i < n; ++i) out[i] = state[i] * spread * weight[i];
}

template <typename Number>
void multiply_all(Number* a, const Number* b, std::size_t count) {
    std::size_t i = 0;
    for (; i + lanes() <= count; i += lanes()) store(hn::Mul(load(a + i), load(b + i)), a + i);
    for (; i < count; ++i) put(as_float(a[i]) * as_float(b[i]), a + i);
}

void MultiplyFloats(float* a, const float* b, std::size_t count) { multiply_all(a, b, count); }
void MultiplyHalves(std::uint16_t* a, const std::uint16_t* b, std::size_t count) { multiply_all(a, b, count); }

void ToFloats(const std::uint16_t* values, std::size_t count, float* out) {
    std::size_t i = 0;
    for (; i + lanes() <= count; i += lanes()) store(load(values + i), out + i);
    for (; i < count; ++i) out[i] = as_float(values[i]);
}

void ScaleAdd(const float* weight, const float* bias, float factor, std::size_t width, float* out) {
    const auto times = hn::Set(D(), factor);
    std::size_t i = 0;
    for (; i + lanes() <= width; i += lanes()) store(hn::MulAdd(load(weight + i), times, load(bias + i)), out + i);
    for (; i < width; ++i) out[i] = weight[i] * factor + bias[i];
}

void Relu(float* values, std::size_t count) {
    std::size_t i = 0;
    for (; i + lanes() <= count; i += lanes()) store(hn::Max(load(values + i), hn::Zero(D())), values + i);
    for (; i < count; ++i) values[i] = values[i] > 0 ? values[i] : 0;
}

void Scale(float* values, std::size_t count, float factor) {
    std::size_t i = 0;
    for (; i + lanes() <= count; i += lanes()) store(hn::Mul(load(values + i), hn::Set(D(), factor)), values + i);
    for (; i < count; ++i) values[i] *= factor;
}

template <typename Number>
void rotate_head(Number* head, const float* cosines, const float* sines, int pairs) {
    const auto n = static_cast<std::size_t>(pairs);
    Number* other = head + n;
    std::size_t i = 0;
    for (; i + lanes() <= n; i += lanes()) {
        const auto x = load(head + i), y = load(other + i), c = load(cosines + i), s = load(sines + i);
        store(hn::NegMulAdd(y, s, hn::Mul(x, c)), head + i);
        store(hn::MulAdd(x, s, hn::Mul(y, c)), other + i);
    }
    for (; i < n; ++i) {
        const float x = as_float(head[i]), y = as_float(other[i]);
        put(x * cosines[i] - y * sines[i], head + i);
        put(y * cosines[i] + x * sines[i], other + i);
    }
}

void RotateFloats(float* head, const float* cosines, const float* sines, int pairs) {
    rotate_head(head, cosines, sines, pairs);
}

void RotateHalves(std::uint16_t* head, const float* cosines, const float* sines, int pairs) {
    rotate_head(head, cosines, sines, pairs);
}

}  // namespace rootstock::passes::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rootstock::passes {

HWY_EXPORT(LayerNorm);
HWY_EXPORT(RmsNorm);
HWY_EXPORT(MultiplyFloats);
HWY_EXPORT(MultiplyHalves);
HWY_EXPORT(ToFloats);
HWY_EXPORT(ScaleAdd);
HWY_EXPORT(Relu);
HWY_EXPORT(Scale);
HWY_EXPORT(RotateFloats);
HWY_EXPORT(RotateHalves);

void layer_norm(const float* state, const float* weight, const float* bias, int width, float eps, float* out) {
    HWY_DYNAMIC_DISPATCH(LayerNorm)(state, weight, bias, width, eps, out);
}

void rms_norm(const float* state, const float* weight, int width, float eps, float* out) {
    HWY_DYNAMIC_DISPATCH(RmsNorm)(state, weight, width, eps, out);
}

void multiply(float* a, const float* b, std::size_t count) { HWY_DYNAMIC_DISPATCH(MultiplyFloats)(a, b, count); }

void multiply(std::uint16_t* a, const std::uint16_t* b, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(MultiplyHalves)(a, b, count);
}

void to_floats(const std::uint16_t* values, std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(ToFloats)(values, count, out);
}

void scale_add(const float* weight, const float* bias, float factor, std::size_t width, float* out) {
    HWY_DYNAMIC_DISPATCH(ScaleAdd)(weight, bias, factor, width, out);
}

void relu(float* values, std::size_t count) { HWY_DYNAMIC_DISPATCH(Relu)(values, count); }

void scale(float* values, std::size_t count, float factor) { HWY_DYNAMIC_DISPATCH(Scale)(values, count, factor); }

void rotate(float* head, const float* cosines, const float* sines, int pairs) {
    HWY_DYNAMIC_DISPATCH(RotateFloats)(head, cosines, sines, pairs);
}

void rotate(std::uint16_t* head, const float* cosines, const float* sines, int pairs) {
    HWY_DYNAMIC_DISPATCH(RotateHalves)(head, cosines, sines, pairs);
}

}  // namespace rootstock::passes

#endif
