#include "ledger/wallet.h"

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class Wallet : public Books {
protected:
    Wallet() {
        add_plan("prepaid", 0);
        open_books_of(beta_, "prepaid");
    }
    Result<Grant> give(GrantOrder order) {
        order.tenant = beta_;
        return write([&](store::Session& s) { return grant(s, order, clock_.now()); });
    }
    std::optional<Timestamp> in(std::chrono::microseconds span) {
        return Timestamp{clock_.now().micros + span.count()};
    }
    void advance(std::chrono::microseconds by) {
        clock_.advance(by);
        ASSERT_TRUE(write([&](store::Session& s) -> Result<std::int64_t> { return advance_grants(s, clock_.now()); }));
    }
    Grant now_of(const Grant& one) {
        for (Grant& found : see([&](store::Session& s) { return grants(s, beta_, "", 100); }))
            if (found.id == one.id) return found;
        return {};
    }
};

TEST_F(Wallet, WhatWasNotPaidForIsNotServed) {
    EXPECT_EQ(hold(beta_, 1).error().code, ErrorCode::insufficient_quota);
    ASSERT_TRUE(give({.kind = GrantKind::purchased, .amount = Micros{100}}));
    const auto request = hold(beta_, 100).value();
    EXPECT_EQ(hold(beta_, 1).error().code, ErrorCode::insufficient_quota);
    ASSERT_TRUE(settle(request, 60));
    EXPECT_EQ(balance_of(beta_).owed, Micros{-40});
    EXPECT_TRUE(hold(beta_, 40));
    EXPECT_TRUE(verified().problems.empty());
}

// Free before bought, then by priority, by what expires first, by what was made first.
TEST_F(Wallet, BurnsInOrder) {
    const auto bought = give({.kind = GrantKind::purchased, .amount = Micros{10}, .priority = 1}).value();
    const auto late = give({.kind = GrantKind::promo, .amount = Micros{10}, .priority = 5, .expires = in(48h)}).value();
    const auto endless = give({.kind = GrantKind::promo, .amount = Micros{10}, .priority = 5}).value();
    const auto soon = give({.kind = GrantKind::trial, .amount = Micros{10}, .priority = 5, .expires = in(24h)}).value();
    const auto first = give({.kind = GrantKind::promo, .amount = Micros{10}, .priority = 2}).value();
    std::vector<std::string> order;
    for (const Grant& one : see([&](store::Session& s) { return burn_order(s, beta_); })) order.push_back(one.id);
    EXPECT_EQ(order, (std::vector<std::string>{first.id, soon.id, late.id, endless.id, bought.id}));
    ASSERT_TRUE(settle(hold(beta_, 25).value(), 25));
    EXPECT_EQ(now_of(first).state, "exhausted");
    EXPECT_EQ(now_of(soon).state, "exhausted");
    EXPECT_EQ(now_of(late).remaining, Micros{5});
    EXPECT_EQ(now_of(bought).remaining, Micros{10});
    EXPECT_EQ(see([&](store::Session& s) { return credits_used(s, beta_, november()); }), Micros{25});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Wallet, WhatExpiresIsATransfer) {
    const auto one = give({.amount = Micros{100}, .expires = in(1h)}).value();
    ASSERT_TRUE(settle(hold(beta_, 30).value(), 30));
    advance(1h);
    EXPECT_EQ(now_of(one).state, "expired");
    EXPECT_EQ(now_of(one).remaining, Micros{70}) << "what was left stays to be seen";
    EXPECT_EQ(balance_of(beta_).owed, Micros{0});
    EXPECT_EQ(hold(beta_, 1).error().code, ErrorCode::insufficient_quota);
    EXPECT_EQ(see([](store::Session& s) {
                  return s.value<std::int64_t>(
                      "SELECT COUNT(*) FROM ledger_transfer WHERE code = 'grant_ended' AND amount = 70");
              }),
              1);
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Wallet, AGrantBeginsWhenItIsMeantTo) {
    const auto one = give({.amount = Micros{100}, .effective = in(1h)}).value();
    EXPECT_EQ(one.state, "scheduled");
    EXPECT_FALSE(hold(beta_, 1));
    advance(1h);
    EXPECT_EQ(now_of(one).state, "active");
    EXPECT_TRUE(hold(beta_, 1));
}

TEST_F(Wallet, WhatIsOverIsOver) {
    const auto one = give({.amount = Micros{100}}).value(),
               other = give({.amount = Micros{5}, .priority = 200}).value();
    const auto end = [&](const Grant& grant, std::optional<TenantId> who = std::nullopt) {
        return write([&](store::Session& s) { return void_grant(s, who, grant.id, clock_.now()); });
    };
    EXPECT_EQ(end(one, acme_).error().reason, "grant_not_found") << "a stranger's";
    EXPECT_EQ(end(one, beta_)->state, "voided");
    EXPECT_EQ(end(one).error().reason, "grant_state");
    EXPECT_EQ(balance_of(beta_).owed, Micros{-5});
    ASSERT_TRUE(settle(hold(beta_, 5).value(), 5));
    EXPECT_EQ(end(other).error().reason, "grant_state") << "exhausted";
    EXPECT_FALSE(write([&](store::Session& s) -> Result<void> {
        s.execute("UPDATE wallet_grant SET remaining = 1 WHERE id = :id", one.id);
        return {};
    })) << "a trigger keeps it";
    EXPECT_FALSE(give({.amount = Micros{0}}));
    EXPECT_FALSE(give({.amount = Micros{1}, .expires = clock_.now()}));
    EXPECT_TRUE(verified().problems.empty());
}

}  // namespace
}  // namespace rootstock::ledger
