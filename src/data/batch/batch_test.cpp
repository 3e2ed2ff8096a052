#include "data/batch/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace rootstock {
namespace {

using testing::ElementsAre;
using Rows = std::vector<std::vector<std::int32_t>>;

std::vector<std::size_t> flat(const BatchPlan& plan) {
    std::vector<std::size_t> all;
    for (const auto& batch : plan) all.insert(all.end(), batch.begin(), batch.end());
    return all;
}

TEST(PackedBatch, PutsRowsBehindEachOther) {
    auto batch = pack(Rows{{1, 2, 3}, {}, {4, 5}});
    EXPECT_THAT(batch.ids, ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(batch.type_ids, ElementsAre(0, 0, 0, 0, 0));
    EXPECT_THAT(batch.row_offsets, ElementsAre(0, 3, 3, 5));
    EXPECT_EQ(batch.rows(), 3u);
    EXPECT_EQ(batch.tokens(), 5u);
    EXPECT_EQ(batch.row_length(2), 2u);
}

TEST(PackedBatch, KeepsTypeIdsOfEncodings) {
    Encoding pair;
    pair.ids = {7, 8};
    pair.type_ids = {0, 1};
    EXPECT_THAT(pack(std::vector{pair, pair}).type_ids, ElementsAre(0, 1, 0, 1));
}

TEST(PackedBatch, TakesTheChosenRowsInTheirOrder) {
    auto batch = pack(Rows{{1}, {2, 2}, {3}}, std::vector<std::size_t>{2, 1});
    EXPECT_THAT(batch.ids, ElementsAre(3, 2, 2));
}

TEST(PackedBatch, ClosesRowsThatWereWrittenDirectly) {
    PackedBatch batch;
    batch.ids.insert(batch.ids.end(), {1, 2});
    batch.close_row();
    batch.add_row(std::vector<std::int32_t>{3});
    EXPECT_THAT(batch.row_offsets, ElementsAre(0, 2, 3));
    EXPECT_EQ(batch.type_ids.size(), 3u);
    batch.clear();
    EXPECT_EQ(batch.rows(), 0u);
    EXPECT_THAT(batch.row_offsets, ElementsAre(0));
}

TEST(PlanBatches, MeetsEveryExampleOnceInFullBatches) {
    auto plan = plan_batches(100, 32, 42, 0);
    ASSERT_EQ(plan.size(), 4u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(plan[i].size(), 32u);
    EXPECT_EQ(plan[3].size(), 4u);
    auto all = flat(plan);
    std::ranges::sort(all);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(all[i], i);
}

TEST(PlanBatches, DependsOnSeedAndEpochOnly) {
    EXPECT_EQ(plan_batches(100, 32, 42, 3), plan_batches(100, 32, 42, 3));
    EXPECT_NE(plan_batches(100, 32, 42, 3), plan_batches(100, 32, 42, 4));
    EXPECT_NE(plan_batches(100, 32, 42, 3), plan_batches(100, 32, 43, 3));
    EXPECT_EQ(flat(plan_batches(100, 32, 42, 3)), flat(plan_batches(100, 7, 42, 3)));
    EXPECT_TRUE(plan_batches(0, 32, 42, 0).empty());
}

TEST(PlanByTokens, StaysWithinTheBudgetLongestFirst) {
    std::vector<std::int32_t> lengths{3, 50, 7, 20, 7};
    auto plan = plan_by_tokens(lengths, 30);
    ASSERT_EQ(plan.size(), 3u);
    EXPECT_THAT(plan[0], ElementsAre(1)) << "a row beyond the budget stands alone";
    EXPECT_THAT(plan[1], ElementsAre(3, 2));
    EXPECT_THAT(plan[2], ElementsAre(4, 0));
    EXPECT_EQ(plan_by_tokens(lengths, 1000, 2).size(), 3u);
    EXPECT_TRUE(plan_by_tokens({}, 10).empty());
}

}  // namespace
}  // namespace rootstock
