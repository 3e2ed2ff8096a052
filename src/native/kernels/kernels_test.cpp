// Every kernel against plain loops in double precision, over widths that fill vectors and widths that do not.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/base.h"
#include "native/kernels/arithmetic.h"
#include "native/kernels/attention.h"
#include "native/kernels/bytes.h"
#include "native/kernels/cpu.h"
#include "native/kernels/linear.h"
#include "native/kernels/low_rank.h"

namespace rootstock {
namespace {

using Floats = std::vector<float>;

Floats random_floats(std::size_t count, std::uint64_t seed, double spread = 1) {
    SeededRandom random(seed);
    Floats values(count);
    for (auto& value : values) value = static_cast<float>(spread * random.normal());
    return values;
}

template <typename Ops>
std::vector<typename Ops::Number> numbers_of(const Floats& values) {
    std::vector<typename Ops::Number> numbers(values.size());
    Ops::from_floats(values.data(), values.size(), numbers.data());
    return numbers;
}

float value_of(float number) { return number; }
float value_of(std::uint16_t number) { return bf16_to_float(number); }

// bf16 numbers as floats, so that the plain loop starts from the same values.
template <typename Ops>
Floats rounded(const Floats& values) {
    Floats out;
    for (const auto number : numbers_of<Ops>(values)) out.push_back(value_of(number));
    return out;
}

Floats plain_product(const Floats& a, const Floats& b, std::size_t m, std::size_t n, std::size_t k) {
    Floats c(m * n);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::size_t p = 0; p < k; ++p) sum += static_cast<double>(a[i * k + p]) * b[p * n + j];
            c[i * n + j] = static_cast<float>(sum);
        }
    return c;
}

double activated(After after, double x) {
    switch (after) {
        case After::gelu_erf:
            return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
        case After::gelu_tanh:
            return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
        case After::gelu_quick:
            return x / (1 + std::exp(-1.702 * x));
        case After::relu:
            return std::max(0.0, x);
        case After::silu:
            return x / (1 + std::exp(-x));
        case After::tanh:
            return std::tanh(x);
        default:
            return x;
    }
}

template <typename Ops>
class Arithmetic : public ::testing::Test {
protected:
    void SetUp() override {
        if (Ops::kRowsPerWord == 2 && !(cpu_has_bf16() && library_has_bf16()))
            GTEST_SKIP() << "this CPU has no bf16 products";
    }
};

using Both = ::testing::Types<Fp32Ops, Bf16Ops>;
TYPED_TEST_SUITE(Arithmetic, Both);

TYPED_TEST(Arithmetic, ProductsMatchPlainLoops) {
    for (const std::size_t m : {1u, 3u, 8u, 13u})
        for (const std::size_t n : {1u, 7u, 16u, 33u, 64u, 70u, 144u})
            for (const std::size_t k : {2u, 6u, 32u}) {
                const auto a = random_floats(m * k, 1), b = random_floats(k * n, 2), factors = random_floats(m, 3);
                const auto left = numbers_of<TypeParam>(a), right = numbers_of<TypeParam>(b);
                std::vector<typename TypeParam::Packed> packed(k * n / TypeParam::kRowsPerWord);
                TypeParam::pack_rows(right.data(), n, static_cast<int>(k), static_cast<int>(n), packed.data());
                Floats c(m * n + 1, 77);
                TypeParam::product(left.data(), k, packed.data(), n, c.data(), n, static_cast<int>(m),
                                   static_cast<int>(n), static_cast<int>(k) / TypeParam::kRowsPerWord, factors.data());
                const auto wanted = plain_product(rounded<TypeParam>(a), rounded<TypeParam>(b), m, n, k);
                for (std::size_t i = 0; i < m * n; ++i)
                    ASSERT_NEAR(c[i], wanted[i] * factors[i / n], 2e-4) << m << " " << n << " " << k;
                EXPECT_EQ(c.back(), 77) << "nothing is written behind the result";
            }
}

TYPED_TEST(Arithmetic, SoftmaxSumsToOne) {
    for (const int columns : {1, 2, 5, 16, 17, 64, 100}) {
        const auto scores = random_floats(static_cast<std::size_t>(columns) * 2, 4, 5);
        std::vector<typename TypeParam::Number> weights(static_cast<std::size_t>(columns + 1) * 2);
        float inverse[2];
        TypeParam::softmax(scores.data(), static_cast<std::size_t>(columns), 2, columns, 0.5f, weights.data(),
                           static_cast<std::size_t>(columns + 1), inverse);
        for (int r = 0; r < 2; ++r) {
            double sum = 0;
            for (int c = 0; c < columns; ++c) sum += std::exp(0.5 * scores[static_cast<std::size_t>(r * columns + c)]);
            for (int c = 0; c < columns; ++c) {
                const double wanted = std::exp(0.5 * scores[static_cast<std::size_t>(r * columns + c)]) / sum;
                EXPECT_NEAR(value_of(weights[static_cast<std::size_t>(r * (columns + 1) + c)]) * inverse[r], wanted,
                            0.004 * wanted + 1e-7);
            }
        }
    }
}

// Attention of one row, in double, from the rounded inputs.
Floats plain_attention(const Floats& qkv, std::size_t tokens, std::size_t heads, std::size_t d) {
    const std::size_t width = heads * d, stride = 3 * width;
    Floats out(tokens * width);
    for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = 0; i < tokens; ++i) {
            std::vector<double> weights(tokens), sums(d);
            double total = 0;
            for (std::size_t j = 0; j < tokens; ++j) {
                double score = 0;
                for (std::size_t c = 0; c < d; ++c)
                    score += static_cast<double>(qkv[i * stride + h * d + c]) * qkv[j * stride + width + h * d + c];
                total += weights[j] = std::exp(score / std::sqrt(static_cast<double>(d)));
            }
            for (std::size_t c = 0; c < d; ++c) {
                double sum = 0;
                for (std::size_t j = 0; j < tokens; ++j)
                    sum += weights[j] / total * qkv[j * stride + 2 * width + h * d + c];
                out[i * width + h * d + c] = static_cast<float>(sum);
            }
        }
    return out;
}

TYPED_TEST(Arithmetic, AttentionMatchesPlainLoops) {
    const auto element = TypeParam::kRowsPerWord == 2 ? Element::bf16 : Element::fp32;
    for (const std::size_t tokens : {1u, 2u, 15u, 16u, 17u, 70u, 131u})
        for (const std::size_t d : {2u, 8u, 32u, 64u, 80u}) {
            const auto qkv = random_floats(tokens * 3 * 3 * d, 5);
            const auto stored = numbers_of<TypeParam>(qkv);
            std::vector<typename TypeParam::Number> out(tokens * 3 * d);
            Attention attention({3, static_cast<int>(d), 3, 1 / std::sqrt(static_cast<float>(d))}, element);
            const int count = static_cast<int>(tokens);
            const auto width = 3 * d;
            const Queries queries{stored.data(), 3 * width, count, out.data()};
            const auto *keys = stored.data() + width, *values = stored.data() + 2 * width;
            attention.run(queries, keys, values, 3 * width, count, Sight{}, 0, 2);
            attention.run(queries, keys, values, 3 * width, count, Sight{}, 2, 3);
            const auto wanted = plain_attention(rounded<TypeParam>(qkv), tokens, 3, d);
            for (std::size_t i = 0; i < out.size(); ++i)
                ASSERT_NEAR(value_of(out[i]), wanted[i], element == Element::bf16 ? 0.03 : 2e-5)
                    << tokens << " tokens, head " << d;
        }
}

LoraPair random_pair(int rank, int in, int out, std::uint64_t seed) {
    return {rank,
            0.5f,
            in,
            out,
            random_floats(static_cast<std::size_t>(rank * in), seed, 0.2),
            random_floats(static_cast<std::size_t>(out * rank), seed + 1, 0.2)};
}

double plain_update(const LoraPair& pair, const float* x, int column) {
    double sum = 0;
    for (int r = 0; r < pair.rank; ++r) {
        double inner = 0;
        for (int i = 0; i < pair.in; ++i)
            inner += static_cast<double>(pair.a[static_cast<std::size_t>(r * pair.in + i)]) * x[i];
        sum += pair.b[static_cast<std::size_t>(column * pair.rank + r)] * inner;
    }
    return pair.scale * sum;
}

TYPED_TEST(Arithmetic, LowRankUpdatesMatchPlainLoops) {
    const auto element = TypeParam::kRowsPerWord == 2 ? Element::bf16 : Element::fp32;
    constexpr int kIn = 24, kOut = 20, kRows = 5;
    const auto first = random_pair(3, kIn, kOut, 10), third = random_pair(8, kIn, kOut, 20);
    const std::vector<LowRankSlice> slices{{&first, first.rank, kOut, 0},
                                           {&third, third.rank, kOut, 2 * kOut}};  // the second of three maps has none
    Arena arena(LowRank::packed_bytes(slices, kIn, element));
    const LowRank update(slices, kIn, 3 * kOut, element, arena);
    const auto x = random_floats(kIn * kRows, 30);
    const auto stored = numbers_of<TypeParam>(x);
    Floats y(kRows * 3 * kOut, 9);
    Workspace scratch;
    update.run(stored.data(), y.data(), Element::fp32, kRows, scratch);
    for (int row = 0; row < kRows; ++row)
        for (int column = 0; column < 3 * kOut; ++column) {
            const auto* pair = column < kOut ? &first : column < 2 * kOut ? nullptr : &third;
            const double wanted = pair ? plain_update(*pair, x.data() + row * kIn, column % kOut) : 0;
            EXPECT_NEAR(y[static_cast<std::size_t>(row * 3 * kOut + column)], wanted,
                        element == Element::bf16 ? 0.02 : 1e-5);
        }
}

// Tiles round and add in another order than vectors, from the same numbers.
TEST(Tiles, ProductsMatchVectors) {
    if (!cpu_has_tiles()) GTEST_SKIP() << "this CPU has no tiles";
    const auto matrix = [](int rows, int columns, std::uint64_t seed) {
        return numbers_of<Bf16Ops>(random_floats(static_cast<std::size_t>(rows * columns), seed));
    };
    const auto packed = [&](int rows, int columns, std::uint64_t seed) {
        std::vector<Bf16Ops::Packed> words(static_cast<std::size_t>(rows / 2 * columns));
        Bf16Ops::pack_rows(matrix(rows, columns, seed).data(), static_cast<std::size_t>(columns), rows, columns,
                           words.data());
        return words;
    };
    const auto compare = [](const auto& found, const auto& wanted, int k, const std::string& what) {
        for (std::size_t i = 0; i < found.size(); ++i)
            ASSERT_NEAR(value_of(found[i]), value_of(wanted[i]), 0.02 * std::sqrt(k)) << what << ", number " << i;
    };
    for (const int m : {1, 2, 15, 16, 17, 31, 32, 33, 70})
        for (const auto& [n, k] : {std::pair{2, 32}, {8, 384}, {16, 160}, {24, 384}, {32, 64}, {40, 1536}}) {
            const auto a = matrix(m, k, 60);
            const auto b = packed(k, n, 61);
            const auto in = static_cast<std::size_t>(k), out = static_cast<std::size_t>(n);
            std::vector<Bf16Ops::Number> found(static_cast<std::size_t>(m * n)), wanted = found;
            ASSERT_TRUE(Bf16Ops::deep_product(a.data(), in, b.data(), out, found.data(), out, m, n, k / 2));
            Bf16Ops::product(a.data(), in, b.data(), out, wanted.data(), out, m, n, k / 2,
                             static_cast<const float*>(nullptr));
            compare(found, wanted, k, "deep, " + std::to_string(m) + " x " + std::to_string(n));
        }
    const auto wide = [&](auto number, int m, int n, int k) {
        const auto a = matrix(m, k, 62);
        const auto b = packed(k, n, 63);
        const auto in = static_cast<std::size_t>(k), out = static_cast<std::size_t>(n);
        std::vector<decltype(number)> found(static_cast<std::size_t>(m * n)), wanted = found;
        ASSERT_TRUE(Bf16Ops::wide_product(a.data(), in, b.data(), out, found.data(), out, m, n, k / 2));
        Bf16Ops::product(a.data(), in, b.data(), out, wanted.data(), out, m, n, k / 2,
                         static_cast<const float*>(nullptr));
        compare(found, wanted, k, "wide, " + std::to_string(m) + " x " + std::to_string(n));
    };
    for (const int m : {1, 7, 16, 18, 33})
        for (const auto& [n, k] : {std::pair{16, 2}, {48, 8}, {384, 8}, {1536, 32}, {80, 24}})
            wide(0.0f, m, n, k), wide(Bf16Ops::Number{}, m, n, k);
}

TYPED_TEST(Arithmetic, LinearMapsMatchPlainLoops) {
    const auto element = TypeParam::kRowsPerWord == 2 ? Element::bf16 : Element::fp32;
    constexpr int kIn = 36, kOut = 44;
    const auto weights = random_floats(kIn * kOut, 40, 0.2), bias = random_floats(kOut, 41);
    for (const auto after : {After::nothing, After::gelu_erf, After::tanh}) {
        const auto layout = make_layout({kIn, kOut, element, Element::fp32, after});
        Arena arena(packed_bytes(*layout));
        const Linear linear(layout, weights.data(), bias.data(), arena);
        LinearRunner runner(2);
        for (const int rows : {1, 4, 5, 17, 130})
            for (const bool add : {false, true}) {
                const auto x = random_floats(static_cast<std::size_t>(rounded_rows(rows) * kIn), 42);
                const auto stored = numbers_of<TypeParam>(x);
                const auto before = random_floats(static_cast<std::size_t>(rounded_rows(rows) * kOut), 43);
                auto y = before;
                runner.run(linear, stored.data(), y.data(), rows, add);
                for (int row = 0; row < rows; ++row)
                    for (int o = 0; o < kOut; ++o) {
                        const auto place = static_cast<std::size_t>(row * kOut + o);
                        double sum = bias[static_cast<std::size_t>(o)] + (add ? before[place] : 0);
                        for (int i = 0; i < kIn; ++i)
                            sum += static_cast<double>(weights[static_cast<std::size_t>(o * kIn + i)]) *
                                   x[static_cast<std::size_t>(row * kIn + i)];
                        if (after == After::gelu_erf) sum = sum / 2 * (1 + std::erf(sum / std::sqrt(2.0)));
                        if (after == After::tanh) sum = std::tanh(sum);
                        ASSERT_NEAR(y[place], sum, element == Element::bf16 ? 0.03 : 2e-5) << rows << " rows";
                    }
            }
    }
}

// Few rows go through our own kernel, more of them through the library: both see the weights that pack() left.
TYPED_TEST(Arithmetic, MapsOfEightBitsMatchPlainLoops) {
    const bool bf16 = TypeParam::kRowsPerWord == 2;
    const auto element = bf16 ? Element::bf16 : Element::fp32;
    constexpr int kIn = 70, kOut = 44;
    auto weights = random_floats(kIn * kOut, 40, 0.2);
    const auto bias = random_floats(kOut, 41);
    for (const auto y_element : {Element::fp32, element})
        for (const auto after : {After::nothing, After::gelu_erf, After::gelu_tanh, After::gelu_quick, After::relu,
                                 After::silu, After::tanh}) {
            const auto layout = make_layout({kIn, kOut, element, y_element, after, true});
            Arena arena(packed_bytes(*layout));
            const Linear linear(layout, weights.data(), bias.data(), arena);
            auto kept = weights;
            std::vector<char> packed(bytes::packed_bytes(kIn, kOut));
            bytes::pack(kept.data(), kIn, kOut, packed.data());
            LinearRunner runner(2);
            for (const int rows : {1, 2, 3, 4, 5, 17})
                for (const bool add : {false, true}) {
                    const auto x = random_floats(static_cast<std::size_t>(rounded_rows(rows) * kIn), 42);
                    const auto stored = numbers_of<TypeParam>(x);
                    const auto read = rounded<TypeParam>(x);
                    const auto before = random_floats(static_cast<std::size_t>(rounded_rows(rows) * kOut), 43);
                    auto floats = before;
                    auto numbers = numbers_of<TypeParam>(before);
                    const bool wide = y_element == Element::fp32;
                    runner.run(linear, stored.data(),
                               wide ? static_cast<void*>(floats.data()) : static_cast<void*>(numbers.data()), rows,
                               add);
                    for (int row = 0; row < rows; ++row)
                        for (int o = 0; o < kOut; ++o) {
                            const auto place = static_cast<std::size_t>(row * kOut + o);
                            double sum = bias[static_cast<std::size_t>(o)];
                            if (add) sum += wide ? before[place] : value_of(numbers_of<TypeParam>(before)[place]);
                            for (int i = 0; i < kIn; ++i)
                                sum += static_cast<double>(kept[static_cast<std::size_t>(o * kIn + i)]) *
                                       read[static_cast<std::size_t>(row * kIn + i)];
                            const double y = wide ? floats[place] : value_of(numbers[place]);
                            ASSERT_NEAR(y, activated(after, sum), bf16 ? 0.04 : 3e-5)
                                << rows << " rows, activation " << static_cast<int>(after);
                        }
                }
        }
}

TEST(Bytes, RoundingStaysWithinHalfAStepAndKeepsWhatIsRoundAlready) {
    constexpr int kIn = 100, kOut = 21;
    const auto weights = random_floats(kIn * kOut, 60);
    std::vector<char> packed(bytes::packed_bytes(kIn, kOut));
    auto once = weights;
    bytes::pack(once.data(), kIn, kOut, packed.data());
    for (int o = 0; o < kOut; ++o)
        for (int begin = 0; begin < kIn; begin += bytes::kBlock) {
            const auto first = static_cast<std::size_t>(o * kIn + begin);
            const auto count = static_cast<std::size_t>(std::min(bytes::kBlock, kIn - begin));
            float largest = 0;
            for (std::size_t i = first; i < first + count; ++i) largest = std::max(largest, std::abs(weights[i]));
            for (std::size_t i = first; i < first + count; ++i)
                ASSERT_LE(std::abs(once[i] - weights[i]), largest / 127 * 0.5001f);
        }
    auto twice = once;
    bytes::pack(twice.data(), kIn, kOut, packed.data());
    for (std::size_t i = 0; i < once.size(); ++i) ASSERT_NEAR(twice[i], once[i], 1e-6 * std::abs(once[i]));
    Floats nothing(kIn * kOut);
    bytes::pack(nothing.data(), kIn, kOut, packed.data());
    EXPECT_TRUE(std::ranges::all_of(nothing, [](float value) { return value == 0; }));
}

TEST(Fp32Kernels, NormsMeansAndMatrixVectorMatchPlainLoops) {
    for (const int width : {1, 5, 16, 32, 100, 384}) {
        const auto n = static_cast<std::size_t>(width);
        auto state = random_floats(n, 50);
        const auto update = random_floats(n, 51), weight = random_floats(n, 52), bias = random_floats(n, 53);
        double mean = 0, variance = 0;
        for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(state[i]) + update[i];
        mean /= width;
        for (std::size_t i = 0; i < n; ++i)
            variance += std::pow(static_cast<double>(state[i]) + update[i] - mean, 2) / width;
        const auto before = state;
        fp32::add_norm(state.data(), update.data(), weight.data(), bias.data(), width, 1e-5f);
        for (std::size_t i = 0; i < n; ++i)
            EXPECT_NEAR(
                state[i],
                (static_cast<double>(before[i]) + update[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] + bias[i],
                1e-4);

        const auto rows = random_floats(3 * n, 54);
        Floats pooled(n);
        fp32::mean_normalised(rows.data(), 3, width, pooled.data());
        double norm = 0;
        for (std::size_t i = 0; i < n; ++i)
            norm += std::pow(static_cast<double>(rows[i]) + rows[n + i] + rows[2 * n + i], 2);
        for (std::size_t i = 0; i < n; ++i)
            EXPECT_NEAR(pooled[i], (static_cast<double>(rows[i]) + rows[n + i] + rows[2 * n + i]) / std::sqrt(norm),
                        1e-5);

        Floats product(3);
        fp32::matrix_vector(rows.data(), bias.data(), weight.data(), width < 3 ? 1 : 3, width, product.data());
        double sum = bias[0];
        for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(rows[i]) * weight[i];
        EXPECT_NEAR(product[0], sum, 1e-4);
    }
}

TEST(RoundedRows, StaysNearAndIsStable) {
    for (int rows = 1; rows < 3000; ++rows) {
        const int rounded = rounded_rows(rows);
        EXPECT_GE(rounded, rows);
        EXPECT_EQ(rounded_rows(rounded), rounded);
        if (rows > 64) {
            EXPECT_LE(rounded, rows * 1.4);
        }
    }
}

}  // namespace
}  // namespace rootstock
