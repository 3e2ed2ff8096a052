#include "native/plan.h"

#include <gtest/gtest.h>

#include <numeric>

#include "native/pace.h"

namespace rootstock {
namespace {

PackedBatch batch_of(const std::vector<int>& lengths) {
    PackedBatch batch;
    for (const int length : lengths) batch.add_row(std::vector<std::int32_t>(static_cast<std::size_t>(length), 1));
    return batch;
}

Plan plan_of(const std::vector<int>& lengths, int threads, RowAdapters adapters = {}, bool may_split = true) {
    Plan plan;
    const auto batch = batch_of(lengths);
    make_plan(batch, adapters, threads, may_split, plan);
    return plan;
}

void expect_every_row_once(const Plan& plan, std::size_t rows) {
    std::vector<int> seen(rows);
    int at = 0;
    for (const auto& chunk : plan.chunks) {
        EXPECT_EQ(chunk.begin, at);
        for (int i = chunk.begin; i < chunk.end; ++i)
            ++seen[static_cast<std::size_t>(plan.order[static_cast<std::size_t>(i)])];
        at = chunk.end;
    }
    for (const int count : seen) EXPECT_EQ(count, 1);
}

TEST(Plan, EveryRowIsInOneChunk) {
    SeededRandom random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<int> lengths(1 + random.below(80));
        for (auto& length : lengths) length = 1 + static_cast<int>(random.below(round % 2 ? 40 : 512));
        expect_every_row_once(plan_of(lengths, 1 + round % 5), lengths.size());
    }
}

TEST(Plan, OneShortTextIsSharedBetweenThreads) {
    EXPECT_FALSE(plan_of({16}, 2).side_by_side);
    EXPECT_TRUE(plan_of({16}, 2, {}, false).side_by_side);
    EXPECT_TRUE(plan_of({16}, 1).side_by_side);
}

TEST(Plan, ManyTextsAreDividedEvenly) {
    const auto plan = plan_of(std::vector<int>(64, 16), 2);
    EXPECT_TRUE(plan.side_by_side);
    ASSERT_EQ(plan.chunks.size(), 8u);
    for (const auto& chunk : plan.chunks) EXPECT_EQ(chunk.tokens, 128);
    const auto pair = plan_of({16, 16}, 2);
    EXPECT_TRUE(pair.side_by_side);
    EXPECT_EQ(pair.chunks.size(), 2u);
}

TEST(Plan, RowsOfOneAdapterStandTogetherInTheirOrder) {
    const NativeAdapter* places[] = {nullptr, reinterpret_cast<const NativeAdapter*>(64),
                                     reinterpret_cast<const NativeAdapter*>(128)};
    std::vector<const NativeAdapter*> adapters;
    for (int i = 0; i < 30; ++i) adapters.push_back(places[i * 7 % 3]);
    const auto plan = plan_of(std::vector<int>(30, 5), 2, adapters);
    expect_every_row_once(plan, 30);
    for (std::size_t i = 1; i < plan.order.size(); ++i) {
        const auto before = static_cast<std::size_t>(plan.order[i - 1]), here = static_cast<std::size_t>(plan.order[i]);
        EXPECT_LE(adapters[before], adapters[here]);
        if (adapters[before] == adapters[here]) {
            EXPECT_LT(before, here);
        }
    }
}

TEST(Pace, OneThreadIsMeasuredFirst) {
    Pace pace;
    EXPECT_FALSE(pace.may_split(1.0));
    pace.alone_took(16, 0.002);
    EXPECT_TRUE(pace.may_split(1.0));
}

TEST(Pace, ASlowPassStopsTheSplittingForAWhile) {
    Pace pace;
    pace.alone_took(16, 0.002);
    pace.split_took(16, 0.001, 1.0);
    EXPECT_TRUE(pace.may_split(1.0));
    pace.split_took(16, 0.100, 1.2);
    EXPECT_FALSE(pace.may_split(1.22));
    EXPECT_TRUE(pace.may_split(1.30));
    pace.split_took(16, 0.100, 1.3);  // again: a longer pause
    EXPECT_FALSE(pace.may_split(1.38));
    EXPECT_TRUE(pace.may_split(1.45));
}

TEST(Pace, SizesAreComparedPerRow) {
    Pace pace;
    pace.alone_took(16, 0.002);
    pace.split_took(128, 0.008, 1.1);
    EXPECT_TRUE(pace.may_split(1.1));
    pace.split_took(4, 0.001, 1.2);
    EXPECT_TRUE(pace.may_split(1.2));
}

}  // namespace
}  // namespace rootstock
