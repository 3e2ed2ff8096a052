#include "ledger/key_budget.h"

#include <atomic>
#include <thread>

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

constexpr std::int64_t day = 86'400'000'000;
const ApiKeyId key_1{"key_1"};  // of Books::hold

// At 20 micro-units a token, the default plan's price.
class KeyBudgetTest : public Books {
protected:
    Result<KeyBudget> set(std::optional<std::int64_t> amount, BudgetPeriod period = BudgetPeriod::month) {
        const auto limit = amount ? std::optional(Micros{*amount}) : std::nullopt;
        return write([&](store::Session& session) {
            return set_key_budget(session, acme_, key_1, limit, period, clock_.now());
        });
    }
    KeyBudget budget(const ApiKeyId& key = key_1) {
        return see([&](store::Session& session) { return *key_budget(session, key, clock_.now()); });
    }
};

TEST_F(KeyBudgetTest, WithoutOneOnlyTheTenantsCreditCounts) {
    EXPECT_FALSE(see([&](store::Session& session) { return key_budget(session, key_1, clock_.now()); }));
    EXPECT_TRUE(hold(acme_, 1000));
}

TEST_F(KeyBudgetTest, IsHardAndCountsWhatIsUnderWay) {
    ASSERT_TRUE(set(2'000));
    const auto first = hold(acme_, 60).value();
    EXPECT_EQ(budget().held, Micros{1'200});
    const auto refused = hold(acme_, 41);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
    EXPECT_EQ(refused.error().reason, "key_budget_used");
    EXPECT_EQ(balance_of(acme_).held, Micros{1'200}) << "a refusal holds nothing anywhere";
    ASSERT_TRUE(settle(first, 10));
    EXPECT_EQ(budget().spent, Micros{200});
    EXPECT_EQ(budget().held, Micros{0});
    EXPECT_TRUE(hold(acme_, 90)) << "what was not used is free again";
    EXPECT_FALSE(hold(acme_, 1));
}

TEST_F(KeyBudgetTest, WhatIsGivenUpOrExpiresIsFreeAgain) {
    ASSERT_TRUE(set(2'000));
    ASSERT_TRUE(give_up(hold(acme_, 100).value()));
    EXPECT_EQ(budget().held, Micros{0});
    const auto late = hold(acme_, 100).value();
    clock_.advance(std::chrono::minutes(2));
    write([&](store::Session& session) -> Result<void> {
        return (void)expire_overdue(session, clock_.now()), Result<void>{};
    });
    EXPECT_EQ(budget().held, Micros{0});
    const auto charge = settle(late, 50).value();
    EXPECT_TRUE(charge.late);
    EXPECT_EQ(budget().spent, Micros{1'000}) << "what is posted late is spent all the same";
    ASSERT_TRUE(settle(late, 50));
    EXPECT_EQ(budget().spent, Micros{1'000}) << "a repeated post counts once";
}

TEST_F(KeyBudgetTest, AMonthBeginsAnewAndATotalDoesNot) {
    ASSERT_TRUE(set(2'000));
    ASSERT_TRUE(settle(hold(acme_, 100).value(), 100));
    EXPECT_FALSE(hold(acme_, 1));
    clock_.advance(std::chrono::days(31));
    EXPECT_EQ(budget().spent, Micros{0});
    ASSERT_TRUE(settle(hold(acme_, 100).value(), 100));
    ASSERT_TRUE(set(2'500, BudgetPeriod::total));
    EXPECT_EQ(budget().spent, Micros{2'000});
    clock_.advance(std::chrono::days(400));
    EXPECT_EQ(budget().spent, Micros{2'000});
    EXPECT_FALSE(hold(acme_, 26));
}

TEST_F(KeyBudgetTest, WhatIsHeldInOneMonthIsSpentInTheNext) {
    ASSERT_TRUE(set(2'000));
    const auto over = hold(acme_, 100).value();
    clock_.advance(std::chrono::days(31));
    EXPECT_FALSE(hold(acme_, 1)) << "it may still cost all of it";
    ASSERT_TRUE(settle(over, 100));
    EXPECT_EQ(budget().spent, Micros{2'000});
    EXPECT_EQ(budget().held, Micros{0});
}

TEST_F(KeyBudgetTest, ALimitTakenAwayAndPutBackKeepsWhatWasSpent) {
    ASSERT_TRUE(set(2'000));
    ASSERT_TRUE(settle(hold(acme_, 100).value(), 100));
    ASSERT_TRUE(set(std::nullopt));
    const auto open = hold(acme_, 50).value();
    ASSERT_TRUE(set(4'000));
    EXPECT_EQ(budget().held, Micros{1'000});
    ASSERT_TRUE(settle(open, 50));
    EXPECT_EQ(budget().spent, Micros{3'000});
    EXPECT_EQ(set(0).error().param, "budget");
}

TEST_F(KeyBudgetTest, ARotatedKeySharesIt) {
    ASSERT_TRUE(set(2'000));
    const ApiKeyId next("key_2");
    write([&](store::Session& session) -> Result<void> {
        return share_key_budget(session, key_1, next), Result<void>{};
    });
    ASSERT_TRUE(hold(acme_, 60));
    auto request = order(acme_, 41);
    request.key = next;
    const auto refused = write([&](store::Session& session) { return reserve(session, request, clock_.now()); });
    EXPECT_EQ(refused.error().reason, "key_budget_used");
    EXPECT_EQ(budget(next).held, Micros{1'200});
}

TEST_F(KeyBudgetTest, AHoldThatNoReservationExplainsIsFound) {
    ASSERT_TRUE(set(2'000));
    ASSERT_TRUE(hold(acme_, 10));
    EXPECT_TRUE(verified().problems.empty());
    write([&](store::Session& session) -> Result<void> {
        session.execute("UPDATE key_budget SET held = held + 1");
        return {};
    });
    ASSERT_EQ(verified().problems.size(), 1U);
    EXPECT_NE(verified().problems[0].find("budget of key key_1 holds 0.000201"), std::string::npos);
}

TEST_F(KeyBudgetTest, ManyAtOnceNeverOverspendIt) {
    ASSERT_TRUE(set(100 * 20));
    std::atomic<int> admitted = 0, refused = 0;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 8; ++caller)
        callers.emplace_back([&] {
            for (int i = 0; i < 50; ++i) ++(hold(acme_, 1) ? admitted : refused);
        });
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(admitted, 100);
    EXPECT_EQ(refused, 300);
}

}  // namespace
}  // namespace rootstock::ledger
