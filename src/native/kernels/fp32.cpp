#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/kernels/fp32.cpp"
#include <hwy/foreach_target.h>
// Highway compiles this file once per instruction set; what follows is seen by each of them.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstring>

#include "native/kernels/cpu.h"
#include "native/kernels/fp32.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock::fp32::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

inline std::size_t lanes() { return hn::Lanes(D()); }

// The last `count` lanes of a row that does not fill a vector; the others are `fill`.
HWY_INLINE V load_part(const float* from, std::size_t count, float fill = 0) {
    const D d;
    return hn::IfThenElse(hn::FirstN(d, count), hn::MaskedLoad(hn::FirstN(d, count), d, from), hn::Set(d, fill));
}

HWY_INLINE void store_part(V values, float* to, std::size_t count) {
    hn::BlendedStore(values, hn::FirstN(D(), count), D(), to);
}

// Calls visit(position, whole) for each whole vector and visit_part(position, count) for the rest of `width`.
template <typename Visit, typename VisitPart>
HWY_INLINE void over(std::size_t width, const Visit& visit, const VisitPart& visit_part) {
    std::size_t i = 0;
    for (; i + lanes() <= width; i += lanes()) visit(i);
    if (i < width) visit_part(i, width - i);
}

HWY_INLINE float total(V values) { return hn::GetLane(hn::SumOfLanes(D(), values)); }

struct Matrices {
    const float* a;
    std::size_t a_stride;
    const float* b;
    std::size_t b_stride;
    float* c;
    std::size_t c_stride;
    std::size_t k;
    const float* factors;
};

template <int ROWS>
HWY_INLINE void store_tile(const Matrices& m, std::size_t row, std::size_t column, std::size_t count,
                           const V (&low)[ROWS], const V (&high)[ROWS]) {
    const D d;
    for (int r = 0; r < ROWS; ++r) {
        const auto factor = hn::Set(d, m.factors ? m.factors[row + r] : 1.0f);
        float* c = m.c + (row + r) * m.c_stride + column;
        store_part(hn::Mul(low[r], factor), c, count < lanes() ? count : lanes());
        if (count > lanes()) store_part(hn::Mul(high[r], factor), c + lanes(), count - lanes());
    }
}

// ROWS rows of A against two vectors of columns, of which `count` columns are real.
template <int ROWS>
HWY_INLINE void tile(const Matrices& m, std::size_t row, std::size_t column, std::size_t count) {
    const D d;
    V low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; ++r) low[r] = high[r] = hn::Zero(d);
    const bool whole = count == 2 * lanes();
    const std::size_t first = count < lanes() ? count : lanes(), second = count - first;
    for (std::size_t k = 0; k < m.k; ++k) {
        const float* b = m.b + k * m.b_stride + column;
        const V left_columns = whole ? hn::LoadU(d, b) : load_part(b, first);
        const V right_columns = whole    ? hn::LoadU(d, b + lanes())
                                : second ? load_part(b + lanes(), second)
                                         : hn::Zero(d);
        for (int r = 0; r < ROWS; ++r) {
            const auto a = hn::Set(d, m.a[(row + r) * m.a_stride + k]);
            low[r] = hn::MulAdd(a, left_columns, low[r]);
            high[r] = hn::MulAdd(a, right_columns, high[r]);
        }
    }
    store_tile<ROWS>(m, row, column, count, low, high);
}

void Product(const float* a, std::size_t a_stride, const float* b, std::size_t b_stride, float* c, std::size_t c_stride,
             int m, int n, int k, const float* factors) {
    const Matrices matrices{a, a_stride, b, b_stride, c, c_stride, static_cast<std::size_t>(k), factors};
    const auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n);
    for (std::size_t column = 0; column < columns; column += 2 * lanes()) {
        const std::size_t count = columns - column < 2 * lanes() ? columns - column : 2 * lanes();
        std::size_t row = 0;
        for (; row + 4 <= rows; row += 4) tile<4>(matrices, row, column, count);
        for (; row < rows; ++row) tile<1>(matrices, row, column, count);
    }
}

float softmax_row(const float* scores, std::size_t columns, float scale, float* weights) {
    const D d;
    auto largest = hn::Set(d, scores[0]);
    over(
        columns, [&](std::size_t i) HWY_ATTR { largest = hn::Max(largest, hn::LoadU(d, scores + i)); },
        [&](std::size_t i, std::size_t count)
            HWY_ATTR { largest = hn::Max(largest, load_part(scores + i, count, scores[0])); });
    const auto top = hn::MaxOfLanes(d, largest);
    const auto factor = hn::Set(d, scale);
    auto sum = hn::Zero(d);
    const auto weight = [&](V score) HWY_ATTR { return hn::Exp(d, hn::Mul(hn::Sub(score, top), factor)); };
    over(
        columns,
        [&](std::size_t i) HWY_ATTR {
            const auto w = weight(hn::LoadU(d, scores + i));
            sum = hn::Add(sum, w);
            hn::StoreU(w, d, weights + i);
        },
        [&](std::size_t i, std::size_t count) HWY_ATTR {
            const auto w = hn::IfThenElseZero(hn::FirstN(d, count), weight(load_part(scores + i, count)));
            sum = hn::Add(sum, w);
            store_part(w, weights + i, count);
        });
    return 1.0f / total(sum);
}

void Softmax(const float* scores, std::size_t stride, int rows, int columns, float scale, float* weights,
             std::size_t weights_stride, float* inverse_sums) {
    for (int r = 0; r < rows; ++r, scores += stride, weights += weights_stride)
        inverse_sums[r] = softmax_row(scores, static_cast<std::size_t>(columns), scale, weights);
}

void AddNorm(float* state, const float* update, const float* weight, const float* bias, int width, float eps) {
    const D d;
    const auto n = static_cast<std::size_t>(width);
    auto sum = hn::Zero(d);
    over(
        n,
        [&](std::size_t i) HWY_ATTR {
            auto x = hn::LoadU(d, state + i);
            if (update) hn::StoreU(x = hn::Add(x, hn::LoadU(d, update + i)), d, state + i);
            sum = hn::Add(sum, x);
        },
        [&](std::size_t i, std::size_t count) HWY_ATTR {
            auto x = load_part(state + i, count);
            if (update) store_part(x = hn::Add(x, load_part(update + i, count)), state + i, count);
            sum = hn::Add(sum, x);
        });
    const float mean = total(sum) / static_cast<float>(width);
    const auto centre = hn::Set(d, mean);
    auto squares = hn::Zero(d);
    over(
        n,
        [&](std::size_t i) HWY_ATTR {
            const auto x = hn::Sub(hn::LoadU(d, state + i), centre);
            squares = hn::MulAdd(x, x, squares);
        },
        [&](std::size_t i, std::size_t count) HWY_ATTR {
            const auto x = hn::Sub(load_part(state + i, count, mean), centre);
            squares = hn::MulAdd(x, x, squares);
        });
    const auto spread = hn::Set(d, 1.0f / std::sqrt(total(squares) / static_cast<float>(width) + eps));
    over(
        n,
        [&](std::size_t i) HWY_ATTR {
            const auto x = hn::Mul(hn::Sub(hn::LoadU(d, state + i), centre), spread);
            hn::StoreU(hn::MulAdd(x, hn::LoadU(d, weight + i), hn::LoadU(d, bias + i)), d, state + i);
        },
        [&](std::size_t i, std::size_t count) HWY_ATTR {
            const auto x = hn::Mul(hn::Sub(load_part(state + i, count), centre), spread);
            store_part(hn::MulAdd(x, load_part(weight + i, count), load_part(bias + i, count)), state + i, count);
        });
}

void SumRows(const float* a, const float* b, const float* c, int width, float* out) {
    const D d;
    over(
        static_cast<std::size_t>(width),
        [&](std::size_t i) HWY_ATTR {
            auto x = hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
            if (c) x = hn::Add(x, hn::LoadU(d, c + i));
            hn::StoreU(x, d, out + i);
        },
        [&](std::size_t i, std::size_t count) HWY_ATTR {
            auto x = hn::Add(load_part(a + i, count), load_part(b + i, count));
            if (c) x = hn::Add(x, load_part(c + i, count));
            store_part(x, out + i, count);
        });
}

void MeanNormalised(const float* states, int tokens, int width, float* out) {
    const D d;
    const auto n = static_cast<std::size_t>(width);
    std::memcpy(out, states, n * sizeof(float));
    for (int t = 1; t < tokens; ++t) SumRows(out, states + static_cast<std::size_t>(t) * n, nullptr, width, out);
    auto squares = hn::Zero(d);
    over(
        n,
        [&](std::size_t i) HWY_ATTR {
            const auto x = hn::LoadU(d, out + i);
            squares = hn::MulAdd(x, x, squares);
        },
        [&](std::size_t i, std::size_t count) HWY_ATTR {
            const auto x = load_part(out + i, count);
            squares = hn::MulAdd(x, x, squares);
        });
    // Dividing the sum by its own norm is dividing the mean by the mean's; 1e-12 is the reference's guard for zero.
    const float norm = std::sqrt(total(squares));
    const float least = 1e-12f * static_cast<float>(tokens);
    const auto factor = hn::Set(d, 1.0f / (norm > least ? norm : least));
    over(
        n, [&](std::size_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, out + i), factor), d, out + i); },
        [&](std::size_t i, std::size_t count)
            HWY_ATTR { store_part(hn::Mul(load_part(out + i, count), factor), out + i, count); });
}

void MatrixVector(const float* weights, const float* bias, const float* x, int rows, int width, float* out) {
    const D d;
    const auto n = static_cast<std::size_t>(width);
    for (int r = 0; r < rows; ++r, weights += n) {
        auto sum = hn::Zero(d);
        over(
            n, [&](std::size_t i) HWY_ATTR { sum = hn::MulAdd(hn::LoadU(d, weights + i), hn::LoadU(d, x + i), sum); },
            [&](std::size_t i, std::size_t count)
                HWY_ATTR { sum = hn::MulAdd(load_part(weights + i, count), load_part(x + i, count), sum); });
        out[r] = total(sum) + bias[r];
    }
}

const char* Target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace rootstock::fp32::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rootstock {

namespace fp32 {

HWY_EXPORT(Product);
HWY_EXPORT(Softmax);
HWY_EXPORT(AddNorm);
HWY_EXPORT(SumRows);
HWY_EXPORT(MeanNormalised);
HWY_EXPORT(MatrixVector);
HWY_EXPORT(Target);

void pack_columns(const float* keys, std::size_t stride, int tokens, int width, float* out, int packed_stride) {
    for (int c = 0; c < width; ++c, out += packed_stride)
        for (int t = 0; t < packed_stride; ++t)
            out[t] = t < tokens ? keys[static_cast<std::size_t>(t) * stride + static_cast<std::size_t>(c)] : 0;
}

void pack_rows(const float* values, std::size_t stride, int tokens, int width, float* out) {
    for (int t = 0; t < tokens; ++t, values += stride, out += width)
        std::memcpy(out, values, static_cast<std::size_t>(width) * sizeof(float));
}

void product(const float* a, std::size_t a_stride, const float* b, std::size_t b_stride, float* c, std::size_t c_stride,
             int m, int n, int k, const float* factors) {
    HWY_DYNAMIC_DISPATCH(Product)(a, a_stride, b, b_stride, c, c_stride, m, n, k, factors);
}

void softmax(const float* scores, std::size_t stride, int rows, int columns, float scale, float* weights,
             std::size_t weights_stride, float* inverse_sums) {
    HWY_DYNAMIC_DISPATCH(Softmax)(scores, stride, rows, columns, scale, weights, weights_stride, inverse_sums);
}

void add_norm(float* state, const float* update, const float* weight, const float* bias, int width, float eps) {
    HWY_DYNAMIC_DISPATCH(AddNorm)(state, update, weight, bias, width, eps);
}

void sum_rows(const float* a, const float* b, const float* c, int width, float* out) {
    HWY_DYNAMIC_DISPATCH(SumRows)(a, b, c, width, out);
}

void mean_normalised(const float* states, int tokens, int width, float* out) {
    HWY_DYNAMIC_DISPATCH(MeanNormalised)(states, tokens, width, out);
}

void matrix_vector(const float* weights, const float* bias, const float* x, int rows, int width, float* out) {
    HWY_DYNAMIC_DISPATCH(MatrixVector)(weights, bias, x, rows, width, out);
}

const char* target() { return HWY_DYNAMIC_DISPATCH(Target)(); }

}  // namespace fp32

const char* vector_target() { return fp32::target(); }

}  // namespace rootstock

#endif
