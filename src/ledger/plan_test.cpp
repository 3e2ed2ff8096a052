#include "ledger/plan.h"

#include "ledger/charges.h"
#include "ledger/plan_json.h"
#include "ledger/quota.h"
#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class PlanTest : public Books {
protected:
    Result<Plan> add(Plan plan) {
        if (plan.code.empty()) plan.code = "p";
        return write([&](store::Session& s) { return add_plan_version(s, plan, clock_.now()); });
    }
    Plan priced(std::vector<Price> prices, std::int64_t limit = 1'000'000'000) {
        return {.code = "p", .credit_limit = Micros{limit}, .prices = std::move(prices)};
    }
    void open_on(Plan plan) {
        ASSERT_TRUE(add(std::move(plan)));
        open_books_of(beta_, "p");
    }
    std::vector<ChargeLine> lines() {
        return database_->read([&](store::Session& s) { return charges(s, beta_, november()); }).value();
    }
    Result<RequestId> begin(std::int64_t in, std::int64_t out) {
        auto request = order(beta_, in);
        request.output_tokens_max = out;
        auto held = write([&](store::Session& s) { return reserve(s, request, clock_.now()); });
        if (!held) return fail(held.error());
        return request.request;
    }
    Result<Charge> end(const RequestId& request, Usage usage) {
        auto settlement = answer(request, 0);
        settlement.usage = usage;
        return write([&](store::Session& s) { return post(s, settlement, clock_.now()); });
    }
    Rating tiers(RatingMode mode) { return {mode, {{100, 1'000'000'000, 0}, {.nano_per_million = 500'000'000}}}; }
};

TEST_F(PlanTest, WhatMakesNoSenseIsRefusedByName) {
    const Price price = unit_price("input_tokens", "", Micros{1}, 1);
    const auto field = [&](Plan plan) { return add(std::move(plan)).error().param; };
    EXPECT_EQ(field({.code = "p"}), "prices");
    EXPECT_EQ(field({.code = "a b", .prices = {price}}), "code");
    EXPECT_EQ(field({.code = "p", .currency = "XXX", .prices = {price}}), "currency");
    EXPECT_EQ(field({.code = "p", .prices = {price}, .fee = Micros{1}}), "fee") << "less than a cent";
    EXPECT_EQ(field({.code = "p", .prices = {price}, .months = 3}), "months");
    EXPECT_EQ(field({.code = "p", .prices = {price}, .trial_days = -1}), "trial_days");
    EXPECT_EQ(field({.code = "p", .prices = {price}, .limits = {.parallel = 0}}), "limits");
    EXPECT_EQ(field({.code = "p", .prices = {price}, .allowances = {{"sunshine", 1}}}), "allowances");
    EXPECT_EQ(field({.code = "p", .prices = {price, price}}), "prices") << "twice the same";
    EXPECT_EQ(field({.code = "p", .prices = {unit_price("sunshine", "", Micros{1}, 1)}}), "meter");
    EXPECT_EQ(field({.code = "p", .prices = {price, unit_price("cached_tokens", "", Micros{2}, 1)}}), "prices");
}

TEST_F(PlanTest, AVersionNeverChanges) {
    ASSERT_TRUE(add(priced({unit_price("input_tokens", "", Micros{1}, 1)})));
    for (const char* change :
         {"UPDATE plan SET fee = 1", "UPDATE plan_price SET rating = ''", "DELETE FROM plan_price"}) {
        const auto changed = write([&](store::Session& session) -> Result<void> {
            session.execute(change);
            return {};
        });
        EXPECT_FALSE(changed) << change;
    }
    EXPECT_EQ(add(priced({unit_price("input_tokens", "", Micros{2}, 1)}))->version, 2);
}

// What is charged request by request adds up to the rating of the whole, tier by tier.
TEST_F(PlanTest, TiersAreRatedByThePeriodsWholeQuantity) {
    open_on(priced({{"input_tokens", "", tiers(RatingMode::graduated)}}));
    std::int64_t sum = 0;
    for (int i = 0; i < 5; ++i) sum += end(begin(60, 0).value(), {.input_tokens = 50, .rows = 1})->amount.value;
    const std::int64_t due = rated(tiers(RatingMode::graduated), 250, 6).value();
    EXPECT_EQ(sum, due);
    EXPECT_EQ(balance_of(beta_).owed, Micros{due});
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(lines()[0].quantity, 250);
    EXPECT_EQ(lines()[0].amount, rated(tiers(RatingMode::graduated), 250, 2).value());
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(PlanTest, AFallingVolumePriceIsCorrectedOnTheBill) {
    const Rating volume{RatingMode::volume, {{100, 10'000'000'000'000, 0}, {.nano_per_million = 1'000'000'000'000}}};
    open_on(priced({{"input_tokens", "", volume}}));
    EXPECT_EQ(end(begin(100, 0).value(), {.input_tokens = 100, .rows = 1})->amount, Micros{1'000'000});
    EXPECT_EQ(end(begin(100, 0).value(), {.input_tokens = 100, .rows = 1})->amount, Micros{0});
    EXPECT_EQ(lines()[0].amount, 20) << "two hundred at the lower price";
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(PlanTest, WhatIsIncludedIsFreeAndPackagesAreWhole) {
    Rating included = unit_rating(Micros{1000}, 1).value();
    included.included = 100;
    const Rating package{RatingMode::package, {{.nano_flat = 1'000'000'000}}, 10};
    open_on(priced({{"input_tokens", "", included}, {"output_tokens", "", package}}));
    EXPECT_EQ(end(begin(90, 5).value(), {.input_tokens = 90, .rows = 1, .output_tokens = 5})->amount,
              Micros{1'000'000});
    EXPECT_EQ(end(begin(20, 5).value(), {.input_tokens = 20, .rows = 1, .output_tokens = 5})->amount, Micros{10'000});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(PlanTest, CachedTokensAndRequestsHaveTheirPrices) {
    open_on(priced({unit_price("input_tokens", "", Micros{10}, 1), unit_price("cached_tokens", "", Micros{1}, 1),
                    unit_price("requests", "", Micros{500}, 1)}));
    EXPECT_EQ(end(begin(100, 0).value(), {.input_tokens = 100, .rows = 1, .cached_tokens = 40})->amount,
              Micros{500 + 600 + 40});
    std::string told;
    for (const auto& line : lines()) told += line.meter + " " + std::to_string(line.quantity) + "; ";
    EXPECT_EQ(told, "cached_tokens 40; input_tokens 60; requests 1; ");
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(PlanTest, AHardAllowanceIsNeverPassedAndASoftOneIsCounted) {
    Plan plan = priced({unit_price("input_tokens", "", Micros{1}, 1)});
    plan.allowances = {{"input_tokens", 100, true}, {"requests", 1, false}};
    open_on(plan);
    const auto first = begin(70, 0).value();
    EXPECT_EQ(begin(31, 0).error().reason, "allowance_used");
    const auto second = begin(30, 0).value();
    ASSERT_TRUE(end(first, {.input_tokens = 20, .rows = 1}));
    ASSERT_TRUE(give_up(second));
    EXPECT_EQ(begin(81, 0).error().reason, "allowance_used");
    const auto third = begin(80, 0).value();
    const auto state = database_->read([&](store::Session& s) { return quota(s, beta_, clock_.now()); }).value();
    ASSERT_EQ(state.allowances.size(), 2U);
    EXPECT_EQ(state.allowances[0].used, 20);
    EXPECT_EQ(state.allowances[0].held, 80);
    EXPECT_EQ(state.allowances[1].used + state.allowances[1].held, 2) << "one more than allowed: billed, and shown";
    clock_.advance(61s);
    ASSERT_TRUE(write([&](store::Session& s) -> Result<std::int64_t> { return expire_overdue(s, clock_.now()); }));
    ASSERT_TRUE(end(third, {.input_tokens = 5, .rows = 1}));
    EXPECT_TRUE(verified().problems.empty());
    clock_.advance(24h * 15);
    EXPECT_TRUE(begin(100, 0)) << "a new period begins anew";
}

TEST_F(PlanTest, ATenantsOwnPriceAndALaterOneHoldFromTheirInstantOn) {
    open_on(priced({unit_price("input_tokens", "", Micros{10}, 1)}));
    const auto charged = [&] { return end(begin(1, 0).value(), {.input_tokens = 1, .rows = 1})->amount.value; };
    const auto put = [&](Price price) {
        return write([&](store::Session& s) { return add_price(s, "p", 1, price, clock_.now()); });
    };
    EXPECT_EQ(charged(), 10);
    Price later = unit_price("input_tokens", "", Micros{12}, 1);
    later.from = {clock_.now().micros + 3'600'000'000};
    ASSERT_TRUE(put(later));
    EXPECT_EQ(put(later).error().reason, "price_exists");
    Price own = unit_price("input_tokens", "", Micros{7}, 1);
    own.tenant = beta_;
    own.until = Timestamp{clock_.now().micros + 1'800'000'000};
    ASSERT_TRUE(put(own));
    EXPECT_EQ(charged(), 7);
    clock_.advance(30min);
    EXPECT_EQ(charged(), 10);
    clock_.advance(30min);
    EXPECT_EQ(charged(), 12);
    own.until.reset();
    own.from = {1};
    EXPECT_EQ(put(own).error().param, "effective_from") << "the past is rated already";
    std::int64_t lines_sum = 0;
    for (const auto& line : lines()) lines_sum += line.quantity;
    EXPECT_EQ(lines_sum, 4);
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(PlanTest, ACommitmentAndAMinimumTopUp) {
    Rating least = unit_rating(Micros{10'000}, 1).value();
    least.nano_minimum = 2'000'000'000;
    Plan plan = priced({{"input_tokens", "", least}});
    plan.commitment = Micros{5'000'000};
    open_on(plan);
    std::string told;
    for (const auto& line : lines()) told += line.kind + " " + std::to_string(line.amount) + "; ";
    EXPECT_EQ(told, "usage 200; commitment 300; ") << "nothing was used";
    ASSERT_TRUE(end(begin(1000, 0).value(), {.input_tokens = 1000, .rows = 1}));
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(lines()[0].amount, 1000);
}

TEST_F(PlanTest, GoesThroughJson) {
    const char* text = R"({"code": "team", "currency": "USD", "fee": "20", "credit_limit": "100.5", "trial_days": 14,
        "limits": {"parallel": 4}, "allowances": [{"meter": "requests", "quantity": 1000, "hard": false}],
        "prices": [{"meter": "input_tokens", "rating": {"tiers": [{"nano_per_million": 37500000}]}}]})";
    const auto plan = parse_plan(text, "it").value();
    EXPECT_EQ(plan.fee, Micros{20'000'000});
    EXPECT_EQ(plan.limits.parallel, 4);
    const auto added = add(plan).value();
    const auto told = to_json(added);
    EXPECT_EQ(told.at("fee").as_string(), "20.000000");
    EXPECT_EQ(told.at("prices").at(0).at("rating").at("tiers").at(0).at("nano_per_million"), 37'500'000);
    for (const char* bad : {R"({"code":"p","fee":20})", R"({"code":"p","fee":"1e3"})", R"({"code":"p","spend":"1"})",
                            R"({"code":"p","prices":{}})", R"({"code":"p","limits":{"parallel":0}})",
                            R"({"code":"p","prices":[{"meter":"requests"}]})"})
        EXPECT_FALSE(parse_plan(bad, "it")) << bad;
}

}  // namespace
}  // namespace rootstock::ledger
