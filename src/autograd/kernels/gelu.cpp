#include "autograd/kernels/gelu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/gelu.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock {
namespace HWY_NAMESPACE {

// Phi by formula 7.1.26 of Abramowitz and Stegun (absolute error below 1.5e-7). Its exp(-x^2/2) is also what the
// derivative Phi(x) + x phi(x) asks for.
HWY_INLINE void gelu_and_slope(FloatVector x, FloatVector& value, FloatVector& slope) {
    const Floats f;
    auto one = hn::Set(f, 1.0f);
    auto bell = hn::Exp(f, hn::Mul(hn::Mul(x, x), hn::Set(f, -0.5f)));
    auto t = hn::Div(one, hn::MulAdd(hn::Abs(x), hn::Set(f, 0.3275911f * 0.70710678f), one));
    auto sum = hn::MulAdd(t, hn::Set(f, 1.061405429f), hn::Set(f, -1.453152027f));
    sum = hn::MulAdd(t, sum, hn::Set(f, 1.421413741f));
    sum = hn::MulAdd(t, sum, hn::Set(f, -0.284496736f));
    sum = hn::MulAdd(t, sum, hn::Set(f, 0.254829592f));
    auto tail = hn::Mul(hn::Mul(hn::Set(f, 0.5f), hn::Mul(t, sum)), bell);  // 1 - Phi(|x|)
    auto phi = hn::IfThenElse(hn::Lt(x, hn::Zero(f)), tail, hn::Sub(one, tail));
    value = hn::Mul(x, phi);
    slope = hn::MulAdd(hn::Mul(x, bell), hn::Set(f, 0.39894228f), phi);
}

void gelu_rows(Matrix<const Bf16> input, Matrix<Bf16> result, Matrix<Bf16> slopes, std::int64_t begin,
               std::int64_t end) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
    for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t column = 0; column < input.columns; column += lanes) {
            FloatVector value, slope;
            gelu_and_slope(load_bf16(input.row(row) + column), value, slope);
            store_bf16(value, result.row(row) + column);
            if (slopes.data) store_bf16(slope, slopes.row(row) + column);
        }
    }
}

void multiply_rows(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<Bf16> result, std::int64_t begin,
                   std::int64_t end) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
    for (std::int64_t row = begin; row < end; ++row)
        for (std::int64_t column = 0; column < left.columns; column += lanes)
            store_bf16(hn::Mul(load_bf16(left.row(row) + column), load_bf16(right.row(row) + column)),
                       result.row(row) + column);
}

}  // namespace HWY_NAMESPACE
}  // namespace rootstock
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rootstock {

HWY_EXPORT(gelu_rows);
HWY_EXPORT(multiply_rows);

void gelu_forward(Matrix<const Bf16> input, Matrix<Bf16> result, Matrix<Bf16> slope) {
    parallel_ranges(input.rows, [&](std::int64_t begin, std::int64_t end) {
        HWY_DYNAMIC_DISPATCH(gelu_rows)(input, result, slope, begin, end);
    });
}

void gelu_backward(Matrix<const Bf16> gradient, Matrix<const Bf16> slope, Matrix<Bf16> result) {
    parallel_ranges(gradient.rows, [&](std::int64_t begin, std::int64_t end) {
        HWY_DYNAMIC_DISPATCH(multiply_rows)(gradient, slope, result, begin, end);
    });
}

}  // namespace rootstock
#endif
