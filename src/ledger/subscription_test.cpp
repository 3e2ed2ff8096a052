#include "ledger/subscription.h"

#include <map>
#include <set>

#include "ledger/quota.h"
#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using State = SubscriptionState;
using namespace std::chrono_literals;

constexpr State states[] = {State::trial, State::active, State::past_due, State::suspended, State::canceled};

// Every step from every state: what is not written here is illegal.
TEST(SubscriptionState, TheTableIsTheWholeTruth) {
    const std::map<State, std::set<State>> legal{{State::trial, {State::active, State::suspended, State::canceled}},
                                                 {State::active, {State::past_due, State::canceled}},
                                                 {State::past_due, {State::active, State::suspended, State::canceled}},
                                                 {State::suspended, {State::active, State::canceled}},
                                                 {State::canceled, {}}};
    for (const State from : states)
        for (const State to : states) {
            const auto step = check_step(from, to);
            EXPECT_EQ(step.has_value(), legal.at(from).contains(to)) << name(from) << " -> " << name(to);
            if (step) continue;
            EXPECT_EQ(step.error().code, ErrorCode::conflict);
            EXPECT_EQ(step.error().reason, "subscription_state");
            EXPECT_NE(step.error().message.find(name(from)), std::string::npos) << "it names the state";
        }
}

class Subscribing : public Books {
protected:
    Plan plan_of(std::string code, const char* fee, Plan more = {}) {
        more.code = std::move(code);
        more.fee = parse_micros(fee).value();
        more.credit_limit = Micros{100'000'000};
        if (more.prices.empty()) more.prices = {unit_price("input_tokens", "", Micros{1000}, 1000)};
        return write([&](store::Session& s) { return add_plan_version(s, more, clock_.now()); }).value();
    }
    Result<Subscription> begin(SubscriptionOrder order) {
        order.tenant = beta_;
        return write([&](store::Session& s) { return subscribe(s, order, clock_.now()); });
    }
    Subscription now_of(const TenantId& tenant) {
        return database_->read([&](store::Session& s) { return subscription_of(s, tenant); }).value();
    }
    template <typename F>
    auto with(F step) {
        return write([&](store::Session& s) { return step(s, subscription_of(s, beta_).value()); });
    }
    Result<Subscription> change(const char* plan) {
        return with(
            [&](store::Session& s, const Subscription& one) { return change_plan(s, one, plan, clock_.now()); });
    }
    Result<Subscription> stop(bool at_once) {
        return with([&](store::Session& s, const Subscription& one) { return cancel(s, one, at_once, clock_.now()); });
    }
    std::int64_t advance() {
        return write([&](store::Session& s) -> Result<std::int64_t> {
                   return advance_subscriptions(s, clock_.now()) + advance_grants(s, clock_.now());
               })
            .value();
    }
    std::vector<ChargeLine> lines(const Period& period) {
        return database_->read([&](store::Session& s) { return charges(s, beta_, period); }).value();
    }
    std::string told(const std::vector<ChargeLine>& lines) {
        std::string text;
        for (const auto& line : lines) text += line.kind + " " + line.unit + " " + std::to_string(line.amount) + "; ";
        return text;
    }
    void to_day(const char* day) {
        const auto at = start_of_day("UTC", read_date(day).value());
        clock_.advance(std::chrono::microseconds(at.micros - clock_.now().micros));
    }
};

TEST_F(Subscribing, AFeeIsDueForEachPeriodOfTheAnchor) {
    plan_of("team", "20");
    to_day("2027-01-31");
    const auto one = begin({.plan = "team"}).value();
    EXPECT_EQ(one.state, State::active);
    EXPECT_EQ(told(lines(one.cycle().period(0))), "fee month of team 2000; ");
    EXPECT_EQ(told(lines(one.cycle().period(1))), "fee month of team 2000; ");
    EXPECT_EQ(date_text(local_date("UTC", one.cycle().period(1).start)), "2027-02-28");
    EXPECT_EQ(lines({start_of_day("UTC", read_date("2026-12-01").value()), one.cycle().period(0).start}).size(), 0U);
    EXPECT_EQ(begin({.plan = "team"}).error().reason, "subscription_exists");
    EXPECT_EQ(begin({.plan = "nosuch"}).error().reason, "plan_not_found");
    EXPECT_EQ(begin({.plan = "team", .timezone = "Moon/Sea"}).error().reason, "unknown_timezone");
}

// Halfway through a month of 30 days from 10 to 20 USD: -5.00 +10.00, and the preview is the bill.
TEST_F(Subscribing, AnUpgradeHoldsAtOnceAndIsProrated) {
    plan_of("small", "10");
    plan_of("large", "20");
    to_day("2027-04-01");
    const auto one = begin({.plan = "small"}).value();
    to_day("2027-04-16");
    const auto preview = with([&](store::Session& s, const Subscription& it) {
                             return preview_change(s, it, "large", clock_.now());
                         }).value();
    EXPECT_TRUE(preview.at_once);
    EXPECT_EQ(told(preview.lines), "proration unused time on small -500; proration remaining time on large 1000; ");
    EXPECT_EQ(preview.amount, 500);
    ASSERT_TRUE(change("large"));
    const auto billed = lines(one.cycle().period(0));
    EXPECT_EQ(told(billed), "fee month of small 1000; " + told(preview.lines));
    EXPECT_EQ(billed[1].detail, preview.lines[0].detail);
    EXPECT_EQ(told(lines(one.cycle().period(1))), "fee month of large 2000; ");
    EXPECT_EQ(now_of(beta_).id, one.id);
}

TEST_F(Subscribing, ADowngradeWaitsForThePeriodsEnd) {
    plan_of("small", "10");
    plan_of("large", "20");
    to_day("2027-04-01");
    const auto one = begin({.plan = "large"}).value();
    to_day("2027-04-16");
    const auto waiting = change("small").value();
    EXPECT_EQ(waiting.plan, "large");
    EXPECT_EQ(waiting.change_at, one.cycle().period(0).end);
    EXPECT_EQ(advance(), 0);
    to_day("2027-05-03");  // late: it holds from the instant on all the same
    EXPECT_EQ(advance(), 1);
    EXPECT_EQ(now_of(beta_).plan, "small");
    EXPECT_EQ(told(lines(one.cycle().period(0))), "fee month of large 2000; ");
    EXPECT_EQ(told(lines(one.cycle().period(1))), "fee month of small 1000; ");
    EXPECT_EQ(advance(), 0);
}

TEST_F(Subscribing, ATrialEndsByItself) {
    Plan more;
    more.trial_days = 30;
    more.trial_credit = Micros{500};
    plan_of("starter", "10", more);
    for (const bool payable : {true, false}) {
        if (!payable) {
            ASSERT_TRUE(stop(true));
        }
        const auto one = begin({.plan = "starter", .timezone = "America/Los_Angeles", .payable = payable}).value();
        EXPECT_EQ(one.state, State::trial);
        const auto request = hold(beta_, 400).value();
        EXPECT_EQ(hold(beta_, 101).error().code, ErrorCode::insufficient_quota) << "the trial's credit is all there is";
        ASSERT_TRUE(settle(request, 100));
        EXPECT_EQ(balance_of(beta_).owed, Micros{-400});
        EXPECT_EQ(told(lines({one.started, *one.trial_end})), "usage input tokens 0; ") << "no fee";
        clock_.advance(std::chrono::microseconds(one.trial_end->micros - clock_.now().micros));
        EXPECT_EQ(advance(), 2) << "the trial, and what is left of its credit";
        EXPECT_EQ(now_of(beta_).state, payable ? State::active : State::suspended);
        EXPECT_EQ(balance_of(beta_).owed, Micros{0});
        EXPECT_EQ(hold(beta_, 1).has_value(), payable);
        if (payable) {
            EXPECT_EQ(told(lines(now_of(beta_).cycle().at(clock_.now()))), "fee month of starter 1000; ");
        }
        EXPECT_TRUE(
            write([&](store::Session& s) -> Result<std::int64_t> { return void_abandoned(s, "other", clock_.now()); }));
        EXPECT_TRUE(verified().problems.empty());
    }
    EXPECT_EQ(hold(beta_, 1).error().reason, "subscription_state");
    EXPECT_EQ(with([&](store::Session& s, const Subscription& one) { return resume(s, one, clock_.now()); })->state,
              State::active);
    EXPECT_TRUE(hold(beta_, 1));
}

TEST_F(Subscribing, PaymentsMoveIt) {
    plan_of("team", "20");
    begin({.plan = "team"});
    const auto go = [&](State to) {
        return with([&](store::Session& s, const Subscription& one) { return move_to(s, one, to, clock_.now()); });
    };
    EXPECT_EQ(go(State::suspended).error().reason, "subscription_state");
    EXPECT_EQ(go(State::past_due)->past_due, clock_.now());
    EXPECT_TRUE(hold(beta_, 1)) << "dunning has not given up";
    EXPECT_EQ(go(State::active)->past_due, std::nullopt);
    ASSERT_TRUE(go(State::past_due));
    ASSERT_TRUE(go(State::suspended));
    EXPECT_EQ(hold(beta_, 1).error().reason, "subscription_state");
    ASSERT_TRUE(go(State::canceled));
    EXPECT_EQ(go(State::active).error().reason, "subscription_state");
    EXPECT_EQ(balance_of(beta_).currency, "USD") << "what is owed stays to be seen";
}

TEST_F(Subscribing, WhoCancelsKeepsThePeriod) {
    plan_of("team", "20");
    to_day("2027-04-01");
    const auto one = begin({.plan = "team"}).value();
    to_day("2027-04-10");
    const auto ending =
        with([&](store::Session& s, const Subscription& it) { return cancel(s, it, false, clock_.now()); }).value();
    EXPECT_EQ(ending.state, State::active);
    EXPECT_EQ(ending.cancel_at, one.cycle().period(0).end);
    const auto again = with([&](store::Session& s, const Subscription& it) { return resume(s, it, clock_.now()); });
    EXPECT_EQ(again->cancel_at, std::nullopt);
    EXPECT_EQ(
        with([&](store::Session& s, const Subscription& it) { return resume(s, it, clock_.now()); }).error().reason,
        "subscription_state");
    ASSERT_TRUE(with([&](store::Session& s, const Subscription& it) { return cancel(s, it, false, clock_.now()); }));
    to_day("2027-05-09");
    EXPECT_EQ(advance(), 1);
    EXPECT_EQ(now_of(beta_).ended, one.cycle().period(0).end);
    EXPECT_EQ(told(lines(one.cycle().period(1))), "") << "nothing is due after the end";
    EXPECT_EQ(change("team").error().reason, "subscription_state");
    ASSERT_TRUE(begin({.plan = "team"}));
}

TEST_F(Subscribing, CurrenciesAreNeverMixed) {
    plan_of("dollars", "10");
    Plan yen;
    yen.currency = "JPY";
    plan_of("yen", "1000", yen);
    begin({.plan = "dollars"});
    EXPECT_EQ(change("yen").error().reason, "other_currency");
    ASSERT_TRUE(with([&](store::Session& s, const Subscription& one) { return cancel(s, one, true, clock_.now()); }));
    EXPECT_EQ(begin({.plan = "yen"}).error().reason, "other_currency");
}

}  // namespace
}  // namespace rootstock::ledger
