// Sequences share and part, shrink and end, and none sees another.

#include <gtest/gtest.h>

#include <cmath>

#include "native/native.h"
#include "native/test_places.h"

namespace rootstock {
namespace {

using Ids = std::vector<std::int32_t>;

class CacheTest : public ::testing::TestWithParam<Precision> {
protected:
    void SetUp() override {
        const auto folder = golden_folder() / "families/llama";
        if (!std::filesystem::exists(folder / "model.safetensors"))
            GTEST_SKIP() << folder << " is missing; run tests/golden/make_family_golden.py";
        native_ = NativeModel::load(load_model(folder).value(), {GetParam(), 2}).value();
    }

    Ids text(std::size_t tokens, std::uint64_t seed) const {
        SeededRandom random(seed);
        Ids ids(tokens);
        for (auto& id : ids) id = static_cast<std::int32_t>(random.below(80));
        return ids;
    }

    std::vector<float> extend(Executor& executor, Cache& cache, int sequence, const Ids& ids) {
        PackedBatch batch;
        batch.add_row(ids);
        const auto logits = executor.extend(cache, batch, {&sequence, 1});
        EXPECT_TRUE(logits) << logits.error().message;
        return {logits->values.begin(), logits->values.end()};
    }

    // Of the whole text in a cache of its own.
    std::vector<float> truth(Ids past, const Ids& more) {
        Executor executor(native_);
        auto cache = Cache::make(native_, {128, 128}).value();
        past.insert(past.end(), more.begin(), more.end());
        return extend(executor, cache, cache.open(), past);
    }

    void expect_same(const std::vector<float>& a, const std::vector<float>& b) {
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i)
            ASSERT_NEAR(a[i], b[i], native_->precision() == Precision::bf16 ? 0.05 : 2e-5) << i;
    }

    std::shared_ptr<const NativeModel> native_;
};

TEST_P(CacheTest, AForkSharesThePastAndGoesItsOwnWay) {
    Executor executor(native_);
    auto cache = Cache::make(native_, {256, 16}).value();
    const auto past = text(21, 1), left = text(13, 2), right = text(13, 3);
    const int one = cache.open();
    extend(executor, cache, one, past);
    const int room = cache.free_tokens();
    const int two = cache.fork(one);
    EXPECT_EQ(cache.free_tokens(), room);  // nothing is copied yet
    expect_same(extend(executor, cache, one, left), truth(past, left));
    expect_same(extend(executor, cache, two, right), truth(past, right));
    auto longer = past;
    longer.insert(longer.end(), left.begin(), left.end());
    expect_same(extend(executor, cache, one, right), truth(longer, right));  // untouched by the other
    cache.close(one);
    cache.close(two);
    EXPECT_EQ(cache.free_tokens(), 256);
}

TEST_P(CacheTest, ATruncatedSequenceForgets) {
    Executor executor(native_);
    auto cache = Cache::make(native_, {128, 16}).value();
    const auto past = text(20, 4), wrong = text(30, 5), right = text(5, 6);
    const int one = cache.open();
    extend(executor, cache, one, past);
    const int other = cache.fork(one);
    extend(executor, cache, one, wrong);
    cache.truncate(one, 20);
    EXPECT_EQ(cache.length(one), 20);
    expect_same(extend(executor, cache, one, right), truth(past, right));
    cache.truncate(other, 17);  // inside a block it shared
    const auto shorter = Ids(past.begin(), past.begin() + 17);
    expect_same(extend(executor, cache, other, right), truth(shorter, right));
}

TEST_P(CacheTest, WhenBlocksRunOutNothingChanges) {
    Executor executor(native_);
    auto cache = Cache::make(native_, {64, 16}).value();
    const int one = cache.open(), two = cache.open();
    const auto past = text(20, 7);
    extend(executor, cache, one, past);
    PackedBatch batch;
    batch.add_row(text(12, 8));
    batch.add_row(text(33, 9));
    const int both[] = {one, two};
    EXPECT_EQ(executor.extend(cache, batch, both).error().code, ErrorCode::overloaded);
    EXPECT_EQ(cache.length(one), 20);
    EXPECT_EQ(cache.length(two), 0);
    EXPECT_EQ(cache.free_tokens(), 32);
    const auto more = text(12, 8);
    expect_same(extend(executor, cache, one, more), truth(past, more));
    const int twice[] = {one, one};
    EXPECT_EQ(executor.extend(cache, batch, twice).error().code, ErrorCode::invalid_argument);
}

TEST_P(CacheTest, OnlyModelsThatWriteOnHaveOne) {
    const auto bert = NativeModel::load(load_model(golden_folder() / "tiny_bert").value(), {GetParam(), 1}).value();
    EXPECT_EQ(Cache::make(bert).error().code, ErrorCode::unsupported);
}

INSTANTIATE_TEST_SUITE_P(Precisions, CacheTest, ::testing::Values(Precision::fp32, Precision::bf16),
                         [](const auto& info) { return info.param == Precision::fp32 ? "fp32" : "bf16"; });

}  // namespace
}  // namespace rootstock
