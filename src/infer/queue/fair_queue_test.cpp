#include "infer/queue/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace rootstock {
namespace {

InferJobPtr job(const std::string& tenant, std::size_t rows, std::size_t tokens,
                InferKind kind = InferKind::embedding) {
    static InferTicket last = 0;
    auto made = std::make_shared<InferJob>();
    made->ticket = ++last;
    made->request.tenant = TenantId(tenant);
    made->request.kind = kind;
    made->request.rows.assign(rows, std::vector<std::int32_t>(tokens, 1));
    return made;
}

std::map<std::string, std::size_t> tokens_by_tenant(const std::vector<InferRow>& rows) {
    std::map<std::string, std::size_t> tokens;
    for (const auto& row : rows) tokens[row.job->request.tenant.text()] += row.ids().size();
    return tokens;
}

class FairQueueTest : public testing::Test {
protected:
    std::vector<InferRow> take(std::size_t tokens = 1024, std::size_t rows = 64, double now = 1) {
        return queue.take(tokens, rows, now, expired);
    }
    QueueLimits limits{.rows_max = 1000, .tokens_max = 100'000, .tenant_share_max = 0.5, .quantum_tokens = 64};
    FairQueue queue{limits};
    std::vector<InferJobPtr> expired;
};

TEST_F(FairQueueTest, GivesALoneRequestAtOnce) {
    ASSERT_TRUE(queue.push(job("a", 1, 16)));
    EXPECT_EQ(take().size(), 1u);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.tokens(), 0u);
    EXPECT_TRUE(take().empty());
}

TEST_F(FairQueueTest, KeepsBatchesWithinTheirBudget) {
    ASSERT_TRUE(queue.push(job("a", 100, 100)));
    for (std::size_t left = 100; left > 0; left -= 10) EXPECT_EQ(take(1024).size(), 10u);
    ASSERT_TRUE(queue.push(job("a", 20, 10)));
    EXPECT_EQ(take(1024, 8).size(), 8u);
    ASSERT_TRUE(queue.push(job("b", 1, 3000)));
    std::size_t longest = 0;
    while (!queue.empty())
        for (const auto& row : take(1024, 8)) longest = std::max(longest, row.ids().size());
    EXPECT_EQ(longest, 3000u);  // longer than any batch: it went alone
}

TEST_F(FairQueueTest, SharesTheMachineByTokens) {
    ASSERT_TRUE(queue.push(job("many short", 450, 16)));
    ASSERT_TRUE(queue.push(job("few long", 60, 128)));
    auto tokens = tokens_by_tenant(take(2048, 1000));
    EXPECT_EQ(tokens["many short"] + tokens["few long"], 2048u);
    EXPECT_NEAR(static_cast<double>(tokens["many short"]), 1024, 128);
}

TEST_F(FairQueueTest, LetsANewcomerIntoTheNextBatch) {
    ASSERT_TRUE(queue.push(job("greedy", 500, 64)));
    take(512);
    ASSERT_TRUE(queue.push(job("newcomer", 1, 16)));
    EXPECT_EQ(tokens_by_tenant(take(512))["newcomer"], 16u);
}

TEST_F(FairQueueTest, HonoursWeights) {
    auto heavy = job("heavy", 300, 16), light = job("light", 300, 16);
    heavy->request.weight = 3;
    ASSERT_TRUE(queue.push(heavy));
    ASSERT_TRUE(queue.push(light));
    auto tokens = tokens_by_tenant(take(1024, 1000));
    EXPECT_EQ(tokens["heavy"], 768u);
    EXPECT_EQ(tokens["light"], 256u);
}

TEST_F(FairQueueTest, NeverMixesKindsAndStarvesNone) {
    ASSERT_TRUE(queue.push(job("a", 200, 16, InferKind::logits)));
    ASSERT_TRUE(queue.push(job("b", 1, 16, InferKind::embedding)));
    std::size_t batches_until_b = 0;
    for (bool found = false; !found; ++batches_until_b) {
        auto rows = take(256);
        for (const auto& row : rows) EXPECT_EQ(row.job->request.kind, rows.front().job->request.kind);
        found = rows.front().job->request.kind == InferKind::embedding;
    }
    EXPECT_LE(batches_until_b, 2u);
}

TEST_F(FairQueueTest, IsBoundedInAllAndPerTenant) {
    ASSERT_TRUE(queue.push(job("a", 400, 1)));
    EXPECT_EQ(queue.push(job("a", 101, 1)).error().code, ErrorCode::rate_limited);  // a's own excess
    EXPECT_EQ(queue.push(job("b", 501, 1)).error().code, ErrorCode::too_large);
    ASSERT_TRUE(queue.push(job("b", 400, 1)));
    EXPECT_EQ(queue.push(job("c", 300, 1)).error().code, ErrorCode::overloaded);
    EXPECT_EQ(queue.push(job("d", 1, 50'001)).error().code, ErrorCode::too_large);
    EXPECT_EQ(queue.rows(), 800u);
    EXPECT_EQ(queue.tokens(), 800u);
}

TEST_F(FairQueueTest, DropsWhatIsTooLate) {
    auto late = job("a", 3, 8), fine = job("a", 1, 8);
    late->request.deadline = 5;
    ASSERT_TRUE(queue.push(late));
    ASSERT_TRUE(queue.push(fine));
    auto rows = take(1024, 64, 6);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].job, fine);
    ASSERT_EQ(expired.size(), 1u);
    EXPECT_EQ(expired[0], late);
    EXPECT_TRUE(queue.empty());
}

TEST_F(FairQueueTest, RemovesByTicketWhatStillWaits) {
    auto first = job("a", 10, 64);
    ASSERT_TRUE(queue.push(first));
    EXPECT_EQ(take(128).size(), 2u);
    EXPECT_EQ(queue.remove(first->ticket), first);
    EXPECT_EQ(queue.remove(first->ticket), nullptr);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.tokens(), 0u);
}

// Ten tenants with eight texts under way each, then one of them with four hundred: by counted tokens, what the other
// nine wait for stays as it was.
TEST_F(FairQueueTest, FiftyTimesItsShareLeavesTheOthersTheirTime) {
    // The 99th percentile of tokens served between a text's arrival and its batch's end, over the nine.
    const auto wait = [](std::size_t hog_under_way) {
        constexpr std::size_t kUnderWay = 8, kTokens = 16, kBatches = 500;
        FairQueue fair({.rows_max = 10'000, .tokens_max = 1'000'000});
        std::map<InferTicket, std::size_t> arrived;
        std::vector<std::size_t> waits;
        std::size_t served = 0;
        const auto ask = [&](const std::string& tenant) {
            auto made = job(tenant, 1, kTokens);
            arrived[made->ticket] = served;
            ASSERT_TRUE(fair.push(made));
        };
        for (std::size_t i = 0; i < hog_under_way; ++i) ask("hog");
        for (std::size_t i = 0; i < kUnderWay; ++i)
            for (int t = 0; t < 9; ++t) ask("t" + std::to_string(t));
        std::vector<InferJobPtr> late;
        for (std::size_t batch = 0; batch < kBatches; ++batch) {
            const auto rows = fair.take(1024, 256, 0, late);
            served += rows.size() * kTokens;
            for (const auto& row : rows) {
                const auto& tenant = row.job->request.tenant.text();
                if (tenant != "hog") waits.push_back(served - arrived[row.job->ticket]);
                ask(tenant);
            }
        }
        std::ranges::sort(waits);
        return static_cast<double>(waits[waits.size() * 99 / 100]);
    };
    EXPECT_LE(wait(50 * 8), 1.10 * wait(8));
}

TEST_F(FairQueueTest, DropsTheLateOnesAmongMany) {
    for (int i = 0; i < 50; ++i) {
        auto made = job("t" + std::to_string(i % 7), 1, 8);
        made->request.deadline = 10 + i;
        ASSERT_TRUE(queue.push(made));
    }
    EXPECT_EQ(take(8, 64, 5).size(), 1u);  // nobody is late yet
    EXPECT_TRUE(expired.empty());
    take(8, 64, 20.5);
    EXPECT_EQ(expired.size(), 10u);  // 11 to 20; 10 has left
    take(8, 64, 1000);
    EXPECT_EQ(expired.size(), 48u);
    EXPECT_TRUE(queue.empty());
}

// Random traffic: every row leaves exactly once, in its job's order, and the counts return to zero.
TEST_F(FairQueueTest, LosesNothing) {
    SeededRandom random(11);
    std::map<InferTicket, std::size_t> next_row;
    std::size_t pushed = 0, taken = 0;
    for (int round = 0; round < 3000; ++round) {
        if (random.below(2)) {
            auto made = job("t" + std::to_string(random.below(5)), 1 + random.below(9), 1 + random.below(90),
                            random.below(3) ? InferKind::logits : InferKind::embedding);
            made->request.weight = static_cast<int>(1 + random.below(3));
            if (queue.push(made)) pushed += made->request.rows.size();
        }
        auto rows = take(200 + random.below(400), 1 + random.below(20));
        taken += rows.size();
        for (const auto& row : rows) EXPECT_EQ(row.row, next_row[row.job->ticket]++);
    }
    while (!queue.empty()) taken += take().size();
    EXPECT_EQ(pushed, taken);
    EXPECT_EQ(queue.tokens(), 0u);
}

}  // namespace
}  // namespace rootstock
