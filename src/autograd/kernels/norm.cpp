#include "autograd/kernels/norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/norm.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock {
namespace HWY_NAMESPACE {

struct Moments {
    float mean;
    float scale;
};

// Two passes over a row that lies in the cache: the difference of squares would lose digits.
HWY_INLINE Moments moments(const float* row, std::int64_t columns, float eps) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto count = static_cast<float>(columns);
    auto sum = hn::Zero(f);
    for (std::int64_t i = 0; i < columns; i += lanes) sum = hn::Add(sum, hn::LoadU(f, row + i));
    float mean = hn::GetLane(hn::SumOfLanes(f, sum)) / count;
    auto squares = hn::Zero(f);
    for (std::int64_t i = 0; i < columns; i += lanes) {
        auto d = hn::Sub(hn::LoadU(f, row + i), hn::Set(f, mean));
        squares = hn::MulAdd(d, d, squares);
    }
    return {mean, 1.0f / std::sqrt(hn::GetLane(hn::SumOfLanes(f, squares)) / count + eps)};
}

HWY_INLINE void write_normed(const float* row, std::int64_t columns, Moments m, NormWeights weights, Bf16* result,
                             Bf16* xhats) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    for (std::int64_t i = 0; i < columns; i += lanes) {
        auto xhat = hn::Mul(hn::Sub(hn::LoadU(f, row + i), hn::Set(f, m.mean)), hn::Set(f, m.scale));
        if (xhats) store_bf16(xhat, xhats + i);
        store_bf16(hn::MulAdd(xhat, hn::LoadU(f, weights.weight + i), hn::LoadU(f, weights.bias + i)), result + i);
    }
}

void add_norm_rows(Matrix<const Bf16> left, Matrix<const Bf16> right, NormWeights weights, Matrix<Bf16> result,
                   NormTrace trace, std::int64_t begin, std::int64_t end) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    std::vector<float> sum(static_cast<std::size_t>(left.columns));
    for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t i = 0; i < left.columns; i += lanes)
            hn::StoreU(hn::Add(load_bf16(left.row(row) + i), load_bf16(right.row(row) + i)), f, sum.data() + i);
        auto m = moments(sum.data(), left.columns, weights.eps);
        if (trace.scale) trace.scale[row] = m.scale;
        write_normed(sum.data(), left.columns, m, weights, result.row(row),
                     trace.scale ? trace.xhat.row(row) : nullptr);
    }
}

// dx = scale (g - mean(g) - xhat mean(g xhat)), g = gradient * weight.
void add_norm_backward_rows(Matrix<const Bf16> gradient, NormTrace trace, NormWeights weights, Matrix<Bf16> result,
                            std::int64_t begin, std::int64_t end) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto count = static_cast<float>(gradient.columns);
    for (std::int64_t row = begin; row < end; ++row) {
        auto sum = hn::Zero(f), sum_xhat = hn::Zero(f);
        for (std::int64_t i = 0; i < gradient.columns; i += lanes) {
            auto g = hn::Mul(load_bf16(gradient.row(row) + i), hn::LoadU(f, weights.weight + i));
            sum = hn::Add(sum, g);
            sum_xhat = hn::MulAdd(g, load_bf16(trace.xhat.row(row) + i), sum_xhat);
        }
        auto mean = hn::Set(f, hn::GetLane(hn::SumOfLanes(f, sum)) / count);
        auto mean_xhat = hn::Set(f, hn::GetLane(hn::SumOfLanes(f, sum_xhat)) / count);
        auto scale = hn::Set(f, trace.scale[row]);
        for (std::int64_t i = 0; i < gradient.columns; i += lanes) {
            auto g = hn::Mul(load_bf16(gradient.row(row) + i), hn::LoadU(f, weights.weight + i));
            auto centred = hn::NegMulAdd(load_bf16(trace.xhat.row(row) + i), mean_xhat, hn::Sub(g, mean));
            store_bf16(hn::Mul(centred, scale), result.row(row) + i);
        }
    }
}

void embed_norm_rows(EmbeddingTables tables, EmbeddingIndices indices, NormWeights weights, Matrix<Bf16> result,
                     std::int64_t begin, std::int64_t end) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto columns = result.columns;
    std::vector<float> sum(static_cast<std::size_t>(columns));
    for (std::int64_t row = begin; row < end; ++row) {
        const float* token = tables.tokens + indices.ids[row] * columns;
        const float* position = tables.positions + indices.places[row] * columns;
        const float* type = tables.types ? tables.types + indices.type_ids[row] * columns : nullptr;
        for (std::int64_t i = 0; i < columns; i += lanes) {
            auto x = hn::Add(hn::LoadU(f, token + i), hn::LoadU(f, position + i));
            if (type) x = hn::Add(x, hn::LoadU(f, type + i));
            hn::StoreU(x, f, sum.data() + i);
        }
        write_normed(sum.data(), columns, moments(sum.data(), columns, weights.eps), weights, result.row(row), nullptr);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace rootstock
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rootstock {

HWY_EXPORT(add_norm_rows);
HWY_EXPORT(add_norm_backward_rows);
HWY_EXPORT(embed_norm_rows);

void add_norm_forward(Matrix<const Bf16> left, Matrix<const Bf16> right, NormWeights weights, Matrix<Bf16> result,
                      NormTrace trace) {
    parallel_ranges(left.rows, [&](std::int64_t begin, std::int64_t end) {
        HWY_DYNAMIC_DISPATCH(add_norm_rows)(left, right, weights, result, trace, begin, end);
    });
}

void add_norm_backward(Matrix<const Bf16> gradient, NormTrace trace, NormWeights weights, Matrix<Bf16> result) {
    parallel_ranges(gradient.rows, [&](std::int64_t begin, std::int64_t end) {
        HWY_DYNAMIC_DISPATCH(add_norm_backward_rows)(gradient, trace, weights, result, begin, end);
    });
}

void embed_norm_forward(EmbeddingTables tables, EmbeddingIndices indices, NormWeights weights, Matrix<Bf16> result) {
    parallel_ranges(result.rows, [&](std::int64_t begin, std::int64_t end) {
        HWY_DYNAMIC_DISPATCH(embed_norm_rows)(tables, indices, weights, result, begin, end);
    });
}

}  // namespace rootstock
#endif
