#include <gtest/gtest.h>

#include <cmath>

#include "autograd/kernels/attention.h"
#include "autograd/kernels/gelu.h"
#include "autograd/kernels/matmul.h"
#include "autograd/kernels/norm.h"
#include "autograd/test_support.h"

namespace rootstock {
namespace {

Matrix<Bf16> view(const torch::Tensor& tensor) {
    return {static_cast<Bf16*>(tensor.data_ptr()), tensor.size(0), tensor.size(1), tensor.stride(0)};
}

torch::Tensor random_bf16(std::int64_t rows, std::int64_t columns) {
    return torch::randn({rows, columns}).to(torch::kBFloat16);
}

class PackedProduct : public testing::TestWithParam<std::tuple<int, int, int, int>> {};

TEST_P(PackedProduct, EqualsThePlainProductWithItsExtraRows) {
    if (!bf16_products_available()) GTEST_SKIP() << "this CPU has no bfloat16 products";
    auto [rows, in, out, extra] = GetParam();
    torch::manual_seed(1);
    auto base = torch::randn({in, out}).to(torch::kBFloat16).to(torch::kFloat32);
    auto tail = random_bf16(extra, out), x = random_bf16(rows, in + extra), y = random_bf16(rows, out);
    auto bias = torch::randn({out});
    PackedWeights weights({base.data_ptr<float>(), in, out, out}, extra);
    for (int row = 0; row < extra; ++row) {  // in two pieces, as query, key and value write theirs
        weights.write_extra(row, 0, view(tail).row(row), out / 2);
        weights.write_extra(row, out / 2, view(tail).row(row) + out / 2, out - out / 2);
    }
    weights.multiply(view(x), bias.data_ptr<float>(), view(y));
    auto expected = torch::matmul(x.to(torch::kFloat32), torch::cat({base, tail.to(torch::kFloat32)})) + bias;
    EXPECT_LT(relative_difference(y, expected), 3e-3);
    weights.multiply(view(x), nullptr, view(y));
    EXPECT_LT(relative_difference(y, expected - bias), 3e-3);
}

INSTANTIATE_TEST_SUITE_P(Shapes, PackedProduct,
                         testing::Values(std::tuple(16, 32, 64, 0), std::tuple(48, 384, 1152, 48),
                                         std::tuple(80, 1536, 384, 16), std::tuple(5, 48, 80, 7),
                                         std::tuple(1, 384, 384, 1), std::tuple(33, 400, 16, 4)));

TEST(SmallProducts, EqualLibtorch) {
    if (!bf16_products_available()) GTEST_SKIP() << "this CPU has no bfloat16 products";
    auto left = random_bf16(40, 24), right = random_bf16(24, 12), wide = random_bf16(40, 30), y = random_bf16(40, 12);
    auto f = [](const torch::Tensor& t) { return t.to(torch::kFloat32); };
    multiply(view(left), view(right), view(y));
    EXPECT_LT(relative_difference(y, f(left).matmul(f(right))), 3e-3);
    multiply_transposed(view(wide).columns_from(6, 24), view(right.t().contiguous()), view(y));
    EXPECT_LT(relative_difference(y, f(wide).narrow(1, 6, 24).matmul(f(right))), 3e-3);
    auto sums = torch::empty({24, 12});
    multiply_over_rows(view(left), view(wide).columns_from(3, 12), {sums.data_ptr<float>(), 24, 12, 12});
    EXPECT_LT(relative_difference(sums, f(left).t().matmul(f(wide).narrow(1, 3, 12))), 1e-5);
}

TEST(Gelu, ValueAndSlopeFollowErf) {
    auto x = torch::linspace(-12, 12, 16 * 3000).view({3000, 16}).to(torch::kBFloat16);
    auto y = torch::empty_like(x), slope = torch::empty_like(x);
    gelu_forward(view(x), view(y), view(slope));
    auto exact = x.to(torch::kFloat64).requires_grad_(true);
    auto expected = torch::gelu(exact);
    expected.sum().backward();
    // Half a unit of bfloat16, and the formula's own 1.5e-7 times |x|.
    auto allowed = expected.detach().abs() * 0.00391 + exact.detach().abs() * 3e-7;
    EXPECT_TRUE(((y.to(torch::kFloat64) - expected.detach()).abs() <= allowed).all().item<bool>());
    EXPECT_LT(largest_difference(slope, exact.grad()), 0.005);
    auto gradient = random_bf16(3000, 16), back = torch::empty_like(x);
    gelu_backward(view(gradient), view(slope), view(back));
    EXPECT_LT(relative_difference(back, gradient.to(torch::kFloat32) * slope.to(torch::kFloat32)), 3e-3);
}

TEST(AddNorm, BothWaysEqualLibtorch) {
    torch::manual_seed(2);
    auto left = random_bf16(37, 48), right = random_bf16(37, 48), y = random_bf16(37, 48),
         gradient = random_bf16(37, 48);
    auto weight = torch::randn({48}), bias = torch::randn({48}), scale = torch::empty({37});
    auto xhat = random_bf16(37, 48), back = random_bf16(37, 48);
    NormWeights weights{weight.data_ptr<float>(), bias.data_ptr<float>(), 1e-12f};
    NormTrace trace{view(xhat), scale.data_ptr<float>()};
    add_norm_forward(view(left), view(right), weights, view(y), trace);
    add_norm_backward(view(gradient), trace, weights, view(back));
    auto sum = (left.to(torch::kFloat32) + right.to(torch::kFloat32)).requires_grad_(true);
    auto expected = torch::layer_norm(sum, {48}, weight, bias, 1e-12);
    expected.backward(gradient.to(torch::kFloat32));
    EXPECT_LT(relative_difference(y, expected.detach()), 3e-3);
    EXPECT_LT(relative_difference(back, sum.grad()), 6e-3);
}

// Attention of one row by libtorch: [tokens, heads * head width] each.
torch::Tensor plain_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              std::int64_t heads) {
    auto apart = [&](const torch::Tensor& x) { return x.view({x.size(0), heads, -1}).transpose(0, 1); };
    auto scores = torch::matmul(apart(q), apart(k).transpose(1, 2)) / std::sqrt(static_cast<double>(q.size(1) / heads));
    return torch::matmul(torch::softmax(scores, 2), apart(v)).transpose(0, 1).reshape({q.size(0), -1});
}

class PackedAttention : public testing::TestWithParam<std::tuple<int, bool>> {};  // head width, first query only

TEST_P(PackedAttention, BothWaysEqualLibtorchOnRowsOfAllLengths) {
    auto [head_width, first_only] = GetParam();
    constexpr std::int64_t heads = 3, spare = 5;
    const std::vector<std::int32_t> offsets{0, 1, 3, 19, 36, 40, 171};
    const std::vector<std::int32_t> ordinals{0, 1, 2, 3, 4, 5, 6};
    const auto& query_offsets = first_only ? ordinals : offsets;
    auto width = heads * head_width, tokens = std::int64_t{offsets.back()};
    auto queries = std::int64_t{query_offsets.back()};
    torch::manual_seed(4);
    auto q = random_bf16(queries + spare, width), kv = random_bf16(tokens + spare, 2 * width);
    auto gradient = random_bf16(queries + spare, width), y = random_bf16(queries + spare, width);
    auto dq = random_bf16(queries + spare, width), dkv = random_bf16(tokens + spare, 2 * width);
    auto log_sums = torch::empty({queries + spare, heads});
    AttentionRows rows{offsets, query_offsets, heads, head_width, 1 / std::sqrt(static_cast<float>(head_width))};
    AttentionInputs inputs{view(q), view(kv).columns_from(0, width), view(kv).columns_from(width, width)};
    attention_forward(rows, inputs, view(y), log_sums.data_ptr<float>());
    attention_backward(rows, inputs, log_sums.data_ptr<float>(), view(gradient),
                       {view(dq), view(dkv).columns_from(0, width), view(dkv).columns_from(width, width)});

    auto exact_q = q.to(torch::kFloat32).requires_grad_(true), exact_kv = kv.to(torch::kFloat32).requires_grad_(true);
    std::vector<torch::Tensor> parts;
    for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
        auto own = exact_kv.slice(0, offsets[row], offsets[row + 1]);
        parts.push_back(plain_attention(exact_q.slice(0, query_offsets[row], query_offsets[row + 1]),
                                        own.narrow(1, 0, width), own.narrow(1, width, width), heads));
    }
    auto expected = torch::cat(parts);
    expected.backward(gradient.narrow(0, 0, queries).to(torch::kFloat32));
    EXPECT_LT(relative_difference(y.narrow(0, 0, queries), expected.detach()), 4e-3);
    EXPECT_LT(relative_difference(dq, exact_q.grad()), 4e-3);
    EXPECT_LT(relative_difference(dkv, exact_kv.grad()), 4e-3);
    EXPECT_EQ(y.narrow(0, queries, spare).abs().sum().item<float>(), 0);  // places that belong to no row
    EXPECT_EQ(dkv.narrow(0, tokens, spare).abs().sum().item<float>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Widths, PackedAttention,
                         testing::Combine(testing::Values(8, 16, 20, 32, 64), testing::Bool()));

}  // namespace
}  // namespace rootstock
