#pragma once
// bfloat16 matrix products with fp32 sums, through oneDNN. The only file pair of this folder that knows oneDNN.

#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/kernels/matrix.h"

namespace rootstock {

// Whether this CPU multiplies bfloat16 fast enough to be worth it (AVX-512 and up).
bool bf16_products_available();

// oneDNN generates code for each number of rows: keep to multiples of this, and few sizes arise.
constexpr std::int64_t product_rows_step = 16;

// A weight matrix [in, out] in the layout that oneDNN's fastest kernel reads, with `extra` rows below it that may be
// written again and again: [in + extra, out]. A low-rank update rides on the product in these rows.
class PackedWeights {
public:
    // `base` is [in, out].
    PackedWeights(Matrix<const float> base, std::int64_t extra);
    ~PackedWeights();
    PackedWeights(PackedWeights&&) noexcept;
    PackedWeights& operator=(PackedWeights&&) noexcept;

    std::int64_t in() const { return in_; }  // extra rows included
    std::int64_t out() const { return out_; }

    // Extra row `row`, columns [column, column + count), becomes `values`.
    void write_extra(std::int64_t row, std::int64_t column, const Bf16* values, std::int64_t count);

    // result = input x weights (+ bias [out]). input [m, in] and result [m, out] are dense.
    void multiply(Matrix<const Bf16> input, const float* bias, Matrix<Bf16> result) const;
    void multiply(Matrix<const Bf16> input, const float* bias, Matrix<float> result) const;

private:
    struct Layout;
    template <typename T>
    void multiply_into(Matrix<const Bf16> input, const float* bias, Matrix<T> result) const;

    std::int64_t in_, out_, first_extra_;
    std::unique_ptr<Layout> layout_;
    HugeMemory memory_;
};

// result = left x right for small, unpacked matrices with any strides.
void multiply(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<Bf16> result);
// result = left x transposed(right): left [m, k], right [n, k].
void multiply_transposed(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<Bf16> result);
// result = transposed(left) x right: left [k, m], right [k, n]: sums over tokens.
void multiply_over_rows(Matrix<const Bf16> left, Matrix<const Bf16> right, Matrix<float> result);

}  // namespace rootstock
