#include "ledger/offer.h"

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class Offering : public Books {
protected:
    Offering() {
        add_plan("starter", 1'000'000);
        add_plan("team", 1'000'000);
    }
    Result<Offer> put(Offer offer) {
        return write([&](store::Session& session) { return put_offer(session, offer, clock_.now()); });
    }
    std::vector<std::string> shown() {
        std::vector<std::string> codes;
        for (const Offer& offer : see([](store::Session& session) { return offers(session); }))
            codes.push_back(offer.plan);
        return codes;
    }
};

TEST_F(Offering, PlansAreShownInTheirOrderAndNotTwice) {
    EXPECT_TRUE(shown().empty()) << "nothing is on offer by itself";
    ASSERT_TRUE(put({.plan = "team", .position = 2}));
    ASSERT_TRUE(put({.plan = "starter", .position = 1, .summary = "To begin with"}));
    ASSERT_TRUE(put({.plan = "starter", .position = 3, .summary = "Later"}));
    EXPECT_EQ(shown(), (std::vector<std::string>{"team", "starter"}));
    ASSERT_TRUE(write([](store::Session& session) { return withdraw_offer(session, "team"); }));
    EXPECT_EQ(shown(), std::vector<std::string>{"starter"});
    EXPECT_EQ(write([](store::Session& session) { return withdraw_offer(session, "team"); }).error().reason,
              "offer_not_found");
}

TEST_F(Offering, WhatCannotBeOfferedIsNamed) {
    EXPECT_EQ(put({.plan = "nosuch"}).error().reason, "plan_not_found");
    EXPECT_EQ(put({.plan = "team", .position = -1}).error().param, "position");
    EXPECT_EQ(put({.plan = "team", .summary = std::string(501, 'x')}).error().param, "summary");
}

TEST_F(Offering, EverybodysPriceOfTodayIsShown) {
    const auto add = [&](Price price) {
        return write([&](store::Session& session) { return add_price(session, "team", 1, price, clock_.now()); });
    };
    Price own = unit_price("input_tokens", "", Micros{1}, 1);
    own.tenant = acme_;
    ASSERT_TRUE(add(own));
    Price later = unit_price("input_tokens", "", Micros{5}, 1);
    later.from = {clock_.now().micros + 3'600'000'000};
    ASSERT_TRUE(add(later));
    const auto price = [&] {
        const auto plan = see([](store::Session& session) { return find_plan(session, "team").value(); });
        const auto prices = public_prices(plan, clock_.now());
        EXPECT_EQ(prices.size(), 1U);
        return prices.front().rating.tiers.front().nano_per_million;
    };
    EXPECT_EQ(price(), 1'000'000'000) << "one micro-unit a token";
    clock_.advance(2h);
    EXPECT_EQ(price(), 5'000'000'000);
}

}  // namespace
}  // namespace rootstock::ledger
