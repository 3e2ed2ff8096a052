#include "ledger/coupon.h"

#include <thread>

#include "ledger/test_invoices.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class Coupons : public Invoicing {
protected:
    Coupons() {
        Plan plan{.code = "team", .credit_limit = Micros{1'000'000'000}, .prices = {unit_price("requests", "", {}, 1)}};
        plan.fee = Micros{19'990'000};
        add(plan);
        plan.code = "trial";
        plan.trial_days = 14;
        add(plan);
        plan.code = "yearly";
        plan.trial_days = 0;
        plan.months = 12;
        add(plan);
    }
    void add(const Plan& plan) {
        ASSERT_TRUE(write([&](store::Session& session) { return add_plan_version(session, plan, clock_.now()); }));
    }
    void begin(const TenantId& tenant, const std::string& plan = "team") {
        ASSERT_TRUE(write([&](store::Session& session) {
            return subscribe(session, {.tenant = tenant, .plan = plan}, clock_.now());
        }));
    }
    Result<Coupon> make(Coupon coupon) {
        return write([&](store::Session& session) { return add_coupon(session, coupon, clock_.now()); });
    }
    Result<Redemption> take(const TenantId& tenant, const std::string& code) {
        return write([&](store::Session& session) { return redeem(session, tenant, code, clock_.now()); });
    }
    Period period_of(const TenantId& tenant, std::int64_t number) {
        return see([&](store::Session& session) { return subscription_of(session, tenant).value().cycle(); })
            .period(number);
    }
    // "fee 1999, discount -500"
    std::string lines(const TenantId& tenant, std::int64_t number) {
        std::string text;
        for (const auto& line :
             see([&](store::Session& session) { return charges(session, tenant, period_of(tenant, number)).value(); }))
            text += (text.empty() ? "" : ", ") + line.kind + " " + std::to_string(line.amount);
        return text;
    }
};

TEST_F(Coupons, APercentageIsRoundedOnceAndEndsAfterItsMonths) {
    begin(beta_);
    const auto coupon = make({.code = "half-Q4", .basis_points = 2500, .months = 2, .plans = {"team"}}).value();
    EXPECT_EQ(coupon.code, "HALF-Q4");
    const auto taken = take(beta_, "Half-q4").value();
    EXPECT_EQ(taken.from, period_of(beta_, 0).start);
    EXPECT_EQ(taken.until, period_of(beta_, 1).end);
    EXPECT_EQ(lines(beta_, 0), "fee 1999, discount -500");  // 499.75
    EXPECT_EQ(lines(beta_, 1), "fee 1999, discount -500");
    EXPECT_EQ(lines(beta_, 2), "fee 1999");
}

TEST_F(Coupons, OnceForEverAndByTheYear) {
    begin(beta_);
    ASSERT_TRUE(make({.code = "ONCE", .amount = 300, .currency = "USD", .months = 1}));
    ASSERT_TRUE(take(beta_, "ONCE"));
    EXPECT_EQ(lines(beta_, 0), "fee 1999, discount -300");
    EXPECT_EQ(lines(beta_, 1), "fee 1999");
    const TenantId gamma("ten_gamma"), delta("ten_delta");
    begin(gamma);
    ASSERT_TRUE(make({.code = "EVER", .basis_points = 1000}));
    ASSERT_TRUE(take(gamma, "EVER"));
    EXPECT_EQ(lines(gamma, 100), "fee 1999, discount -200");
    begin(delta, "yearly");
    ASSERT_TRUE(make({.code = "THREE", .basis_points = 1000, .months = 3}));
    ASSERT_TRUE(take(delta, "THREE"));
    EXPECT_EQ(lines(delta, 0), "fee 1999, discount -200");
    EXPECT_EQ(lines(delta, 1), "fee 1999");
}

TEST_F(Coupons, InATrialItWaitsForWhatIsPaid) {
    begin(beta_, "trial");
    ASSERT_TRUE(make({.code = "WELCOME", .basis_points = 10'000, .months = 1}));
    const auto taken = take(beta_, "WELCOME").value();
    clock_.advance(24h * 15);
    ASSERT_TRUE(write([&](store::Session& session) -> Result<void> {
        advance_subscriptions(session, clock_.now());
        return {};
    }));
    EXPECT_EQ(taken.from, period_of(beta_, 0).start);
    EXPECT_EQ(lines(beta_, 0), "fee 1999, discount -1999") << "never below nothing";
    EXPECT_EQ(lines(beta_, 1), "fee 1999");
}

TEST_F(Coupons, CreditThatWasGivenIsNotPaidOut) {
    // acme is on the default plan by the calendar month, 0.02 USD for 1,000 input tokens.
    ASSERT_TRUE(make({.code = "EVER", .basis_points = 5000}));
    ASSERT_TRUE(take(acme_, "EVER"));
    ASSERT_TRUE(write([&](store::Session& session) {
        return grant(session, {.tenant = acme_, .amount = Micros{1'000'000}}, clock_.now());
    }));
    const auto use = [&](std::int64_t tokens) {
        const auto id = hold(acme_, tokens);
        ASSERT_TRUE(id);
        ASSERT_TRUE(settle(*id, tokens));
    };
    const auto december = month("2026-12").value();
    const auto told = [&] {
        std::string text;
        for (const auto& line : see([&](store::Session& session) { return charges(session, acme_, december).value(); }))
            text += line.kind + " " + std::to_string(line.amount) + ";";
        return text;
    };
    use(50'000);
    EXPECT_EQ(told(), "usage 100;credit -100;") << "all of it was credit: nothing is taken off";
    use(50'000);
    EXPECT_EQ(told(), "usage 200;credit -100;discount -50;");
}

TEST_F(Coupons, TheInvoiceHasItAsALineAndTheBooksAgree) {
    tax(acme_);
    ASSERT_TRUE(make({.code = "TENTH", .basis_points = 1000}));
    clock_.advance(-24h * 18);  // into November
    ASSERT_TRUE(take(acme_, "TENTH"));
    ASSERT_TRUE(settle(hold(acme_, 617'250).value(), 617'250));
    clock_.advance(24h * 18);
    const Invoice invoice = issued(acme_);
    ASSERT_EQ(invoice.lines.size(), 2U);
    EXPECT_EQ(invoice.lines[1].charge.kind, "discount");
    EXPECT_EQ(invoice.lines[1].charge.unit, "coupon TENTH, 10 % off");
    EXPECT_EQ(invoice.subtotal, 1235 - 124);  // 12.345 and 1.235, each rounded once
    EXPECT_EQ(invoice.tax, 211);
    EXPECT_EQ(invoice.total, 1322);
    const auto full = credited(invoice.id).value();
    EXPECT_EQ(full.total(), invoice.total) << "a full credit is the invoice";
    expect_books_in_order();
}

TEST_F(Coupons, TheLastOneGoesToOneOfTwo) {
    ASSERT_TRUE(make({.code = "LAST", .basis_points = 1000, .redemptions_max = 3}));
    std::vector<TenantId> tenants;
    for (int i = 0; i < 16; ++i) begin(tenants.emplace_back("ten_" + std::to_string(i)));
    std::atomic<int> won = 0, lost = 0;
    std::vector<std::thread> threads;
    for (const auto& tenant : tenants)
        threads.emplace_back([&, tenant] {
            auto taken = take(tenant, "LAST");
            taken ? ++won : ++lost;
            if (!taken) {
                EXPECT_EQ(taken.error().reason, "coupon_not_found");
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(won, 3);
    EXPECT_EQ(lost, 13);
    EXPECT_EQ(see([](store::Session& session) { return find_coupon(session, "LAST").value().redeemed; }), 3);
    EXPECT_EQ(see([](store::Session& session) { return redemptions(session, std::nullopt, "", 100).size(); }), 3U);
}

TEST_F(Coupons, WhatDoesNotHoldHereSoundsLikeNone) {
    begin(beta_);
    ASSERT_TRUE(make({.code = "YEARLY", .basis_points = 1000, .plans = {"yearly"}}));
    ASSERT_TRUE(make({.code = "EURO", .amount = 100, .currency = "EUR"}));
    ASSERT_TRUE(make({.code = "SHORT", .basis_points = 1, .valid_until = Timestamp{clock_.now().micros + 1}}));
    ASSERT_TRUE(make({.code = "OVER", .basis_points = 1}));
    ASSERT_TRUE(write([&](store::Session& session) { return end_coupon(session, "over", clock_.now()); }));
    clock_.advance(1s);
    for (const char* code : {"YEARLY", "EURO", "SHORT", "OVER", "NOSUCH"})
        EXPECT_EQ(take(beta_, code).error().reason, "coupon_not_found") << code;
    ASSERT_TRUE(make({.code = "FIRST", .basis_points = 100}));
    ASSERT_TRUE(make({.code = "SECOND", .basis_points = 200}));
    ASSERT_TRUE(take(beta_, "FIRST"));
    EXPECT_EQ(take(beta_, "SECOND").error().reason, "coupon_running");
    EXPECT_EQ(take(beta_, "FIRST").error().reason, "coupon_running");
    EXPECT_EQ(see([](store::Session& session) { return find_coupon(session, "SECOND").value().redeemed; }), 0)
        << "a refused redemption is not counted";
}

TEST_F(Coupons, BadOnesAreNamed) {
    const auto fault = [&](Coupon coupon) { return make(std::move(coupon)).error().param; };
    EXPECT_EQ(fault({.code = "A B", .basis_points = 1}), "code");
    EXPECT_EQ(fault({.code = "BOTH", .basis_points = 1, .amount = 1, .currency = "USD"}), "basis_points");
    EXPECT_EQ(fault({.code = "NEITHER"}), "basis_points");
    EXPECT_EQ(fault({.code = "MUCH", .basis_points = 10'001}), "basis_points");
    EXPECT_EQ(fault({.code = "WHOSE", .basis_points = 1, .currency = "USD"}), "currency");
    EXPECT_EQ(fault({.code = "LONG", .basis_points = 1, .months = 121}), "months");
    EXPECT_EQ(fault({.code = "PLAN", .basis_points = 1, .plans = {"nosuch"}}), "plan");
    EXPECT_EQ(fault({.code = "PAST", .basis_points = 1, .valid_until = clock_.now()}), "valid_until");
    ASSERT_TRUE(make({.code = "TWICE", .basis_points = 1}));
    EXPECT_EQ(make({.code = "twice", .basis_points = 2}).error().reason, "coupon_exists");
}

}  // namespace
}  // namespace rootstock::ledger
