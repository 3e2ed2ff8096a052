#include "tenant/rate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <deque>

namespace rootstock::tenant {
namespace {

struct Rates {
    double now = 1000.25;
    RateLimits limits{[this] { return now; }};

    std::expected<std::shared_ptr<Admission>, RateLimits::Refused> admit(const Limits& key, const Limits& owner = {}) {
        return limits.admit({RateLimits::Scope{"key", key}, RateLimits::Scope{"tenant", owner}});
    }
};

std::uint64_t seed_of_today() {
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

// Twice the limit is offered at random moments: no sixty seconds let more through than the limit, wherever they begin,
// and over ten minutes at least 97 in a hundred of it are given.
TEST(Rate, EverySlidingMinuteKeepsTheLimitAndFewAreLost) {
    const auto seed = seed_of_today();
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    SeededRandom random(seed);
    for (const std::int64_t limit : {1, 7, 60, 1000}) {
        SlidingMinute minute;
        std::deque<double> passed;
        std::int64_t total = 0;
        double now = 5000 + random.uniform();
        const double end = now + 600, step = 60.0 / static_cast<double>(2 * limit);
        for (; now < end; now += step * 2 * random.uniform()) {
            while (!passed.empty() && passed.front() <= now - 60) passed.pop_front();
            ASSERT_LE(static_cast<std::int64_t>(passed.size()), limit);
            if (minute.used(now) >= limit) continue;
            minute.take(1, now);
            passed.push_back(now);
            ++total;
            ASSERT_LE(static_cast<std::int64_t>(passed.size()), limit) << "at " << now;
        }
        if (limit < 60) continue;  // the offer itself is too coarse to say a hundredth
        EXPECT_GE(static_cast<double>(total), 0.97 * static_cast<double>(limit * 10)) << limit;
    }
}

TEST(Rate, TokensKeepTheLimitInEverySlidingMinute) {
    const auto seed = seed_of_today();
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    SeededRandom random(seed);
    SlidingMinute minute;
    std::deque<std::pair<double, std::int64_t>> passed;
    std::int64_t inside = 0, total = 0;
    constexpr std::int64_t limit = 10'000;
    double now = 77;
    for (; now < 77 + 1200; now += random.uniform() * 0.1) {
        for (; !passed.empty() && passed.front().first <= now - 60; passed.pop_front()) inside -= passed.front().second;
        const auto count = static_cast<std::int64_t>(1 + random.below(60));
        const auto wait = minute.seconds_until(count, limit, now);
        ASSERT_EQ(wait <= 0, minute.used(now) + count <= limit);
        if (wait > 0) {
            auto later = minute;  // what it says comes true, and not sooner
            EXPECT_LE(later.used(now + wait) + count, limit);
            auto sooner = minute;
            EXPECT_GT(sooner.used(now + wait - 1.001) + count, limit);
            continue;
        }
        minute.take(count, now);
        passed.emplace_back(now, count);
        inside += count;
        total += count;
        ASSERT_LE(inside, limit) << "at " << now;
    }
    EXPECT_GE(static_cast<double>(total), 0.97 * 20 * limit);
}

TEST(Rate, TellsWhatIsLeftAndWhenItIsBack) {
    Rates rates;
    auto first = rates.admit({.requests_per_minute = 3});
    ASSERT_TRUE(first);
    EXPECT_EQ((*first)->requests()->limit, 3);
    EXPECT_EQ((*first)->requests()->remaining, 2);
    EXPECT_DOUBLE_EQ((*first)->requests()->reset_seconds, 60.75);
    EXPECT_FALSE((*first)->tokens());
    rates.now += 10;
    ASSERT_TRUE(rates.admit({.requests_per_minute = 3}));
    ASSERT_TRUE(rates.admit({.requests_per_minute = 3}));
    auto refused = rates.admit({.requests_per_minute = 3});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, ErrorCode::rate_limited);
    EXPECT_NE(refused.error().error.message.find("3 requests per minute"), std::string::npos);
    EXPECT_DOUBLE_EQ(refused.error().state->retry_seconds(), 50.75);
    EXPECT_EQ(refused.error().state->requests()->remaining, 0);
    rates.now += 50.75;
    EXPECT_TRUE(rates.admit({.requests_per_minute = 3}));
}

TEST(Rate, PlacesAtOneTimeComeBack) {
    Rates rates;
    auto one = rates.admit({.parallel = 2}), two = rates.admit({.parallel = 2});
    ASSERT_TRUE(one && two);
    EXPECT_FALSE(rates.admit({.parallel = 2}));
    EXPECT_FALSE(rates.admit({.parallel = 2}));
    one->reset();
    auto three = rates.admit({.parallel = 2});
    EXPECT_TRUE(three);
    EXPECT_FALSE(rates.admit({.parallel = 2}));
}

TEST(Rate, TokensNotUsedAreGivenBack) {
    Rates rates;
    const Limits limits{.tokens_per_minute = 100};
    auto first = *rates.admit(limits);
    EXPECT_EQ(first->tokens_max(), 100);
    ASSERT_TRUE(first->take_tokens(80));
    EXPECT_EQ(first->tokens()->remaining, 20);
    auto second = *rates.admit(limits);
    auto refused = second->take_tokens(30);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
    EXPECT_DOUBLE_EQ(second->retry_seconds(), 60.75);
    first->settle_tokens(10);
    EXPECT_EQ(first->tokens()->remaining, 90);
    EXPECT_TRUE(second->take_tokens(30));
    auto third = *rates.admit(limits);
    EXPECT_EQ(third->take_tokens(101).error().reason, "tokens_above_limit");
}

TEST(Rate, WhatIsGivenBackTooLateIsForgottenAlready) {
    Rates rates;
    const Limits limits{.tokens_per_minute = 100};
    auto slow = *rates.admit(limits);
    ASSERT_TRUE(slow->take_tokens(100));
    rates.now += 70;
    auto other = *rates.admit(limits);
    ASSERT_TRUE(other->take_tokens(100));
    slow->settle_tokens(1);
    EXPECT_EQ(other->tokens()->remaining, 0);
}

TEST(Rate, KeyAndTenantBothHold) {
    Rates rates;
    const Limits key{.requests_per_minute = 5}, owner{.requests_per_minute = 3};
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(rates.admit(key, owner));
    auto refused = rates.admit(key, owner);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().state->requests()->limit, 3);
    // A request refused by one scope is counted in none.
    EXPECT_EQ((*rates.admit(key, {}))->requests()->remaining, 1);
}

TEST(Rate, NoLimitCostsNothing) {
    Rates rates;
    auto free = rates.admit({});
    ASSERT_TRUE(free);
    EXPECT_EQ(*free, nullptr);
    EXPECT_EQ(rates.limits.scopes_known(), 0u);
}

TEST(Rate, ScopesAtRestAreForgotten) {
    Rates rates;
    const Limits limits{.requests_per_minute = 5};
    for (int i = 0; i < 3000; ++i) {
        ASSERT_TRUE(rates.limits.admit({RateLimits::Scope{"key" + std::to_string(i), limits}, RateLimits::Scope{}}));
        rates.now += 0.5;
    }
    EXPECT_LE(rates.limits.scopes_known(), 1025u);
}

TEST(Rate, LimitsHaveBounds) {
    EXPECT_TRUE(check_limits({}));
    EXPECT_TRUE(check_limits({1, 1, 1}));
    EXPECT_FALSE(check_limits({.requests_per_minute = 0}));
    EXPECT_FALSE(check_limits({.tokens_per_minute = -1}));
    EXPECT_FALSE(check_limits({.parallel = 2'000'000'000'000}));
}

}  // namespace
}  // namespace rootstock::tenant
