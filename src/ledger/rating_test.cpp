#include "ledger/rating.h"

#include <gtest/gtest.h>

namespace rootstock::ledger {
namespace {

constexpr std::int64_t dollar = 1'000'000'000;  // in nano

std::int64_t cents(const Rating& rating, std::int64_t quantity) { return rated(rating, quantity, 2).value(); }

TEST(RatingTest, APriceOfAFractionOfACentIsExact) {
    const Rating embedding{.tiers = {{.nano_per_million = 37'500'000}}};  // 0.0375 USD per million
    EXPECT_EQ(cents(embedding, 1'000'000), 4) << "3.75 cents";
    EXPECT_EQ(cents(embedding, 100'000'000), 375);
    EXPECT_EQ(rated(embedding, 1, 9).value(), 38) << "37.5 billionths, away from zero";
    EXPECT_EQ(rated(embedding, 1'000'000, 6).value(), 37'500);
}

TEST(RatingTest, IsRoundedOnceAndAwayFromZero) {
    const Rating half{.tiers = {{.nano_per_million = dollar / 2}}};
    EXPECT_EQ(cents(half, 10'000), 1) << "half a cent";
    EXPECT_EQ(cents(half, 9'999), 0);
    EXPECT_EQ(cents(half, 30'000), 2) << "one and a half";
    EXPECT_EQ(cents(half, 20'000 * 3), 3) << "three lines of one cent, added up before they are rounded";
}

TEST(RatingTest, EachModeCountsInItsWay) {
    const std::vector<Tier> tiers{
        {10, 2 * dollar * 1'000'000, 0}, {20, dollar * 1'000'000, 0}, {.nano_per_million = 0}};
    const Rating graduated{RatingMode::graduated, tiers}, volume{RatingMode::volume, tiers};
    EXPECT_EQ(cents(graduated, 10), 2000);
    EXPECT_EQ(cents(graduated, 11), 2100);
    EXPECT_EQ(cents(graduated, 25), 3000);
    EXPECT_EQ(cents(volume, 10), 2000);
    EXPECT_EQ(cents(volume, 11), 1100);
    EXPECT_EQ(cents(volume, 21), 0);
    const Rating package{RatingMode::package, {{.nano_flat = 5 * dollar}}, 100};
    EXPECT_EQ(cents(package, 0), 0);
    EXPECT_EQ(cents(package, 1), 500);
    EXPECT_EQ(cents(package, 100), 500);
    EXPECT_EQ(cents(package, 101), 1000);
    const Rating flat{RatingMode::flat, {{.nano_flat = 7 * dollar}}};
    EXPECT_EQ(cents(flat, 0), 700);
    EXPECT_EQ(cents(flat, 1'000'000), 700);
}

TEST(RatingTest, WhatIsIncludedComesFirstAndTheMinimumLast) {
    const Rating rating{RatingMode::per_unit, {{.nano_per_million = dollar}}, 1, 1'000'000, 3 * dollar};
    EXPECT_EQ(cents(rating, 0), 300);
    EXPECT_EQ(cents(rating, 1'000'000), 300);
    EXPECT_EQ(cents(rating, 3'000'000), 300);
    EXPECT_EQ(cents(rating, 5'000'000), 400);
    const Rating package{RatingMode::package, {{.nano_flat = dollar}}, 10, 5};
    EXPECT_EQ(cents(package, 15), 100) << "ten beyond the five that are included";
    EXPECT_EQ(cents(package, 16), 200);
}

TEST(RatingTest, CurrenciesHaveTheirOwnMinorUnits) {
    const Rating rating{.tiers = {{.nano_per_million = 1'234'500'000}}};  // 1.2345 of the major unit
    EXPECT_EQ(rated(rating, 1'000'000, 0).value(), 1) << "JPY";
    EXPECT_EQ(rated(rating, 1'000'000, 2).value(), 123) << "USD";
    EXPECT_EQ(rated(rating, 1'000'000, 3).value(), 1235) << "KWD";
}

TEST(RatingTest, WhatDoesNotFitIsAnErrorNotANumber) {
    const Rating dear{.tiers = {{.nano_per_million = Tier::endless}}};
    EXPECT_EQ(rated(dear, Tier::endless, 0).error().reason, "amount_too_large");
    EXPECT_EQ(rated(dear, 1'000'000, 9).value(), Tier::endless) << "the largest amount there is: 9.22e9 major units";
    EXPECT_EQ(rated(dear, 1'000'001, 9).error().reason, "amount_too_large");
    const Rating packages{RatingMode::package, {{.nano_flat = Tier::endless}}};
    EXPECT_EQ(rated(packages, Tier::endless, 0).error().reason, "amount_too_large");
    EXPECT_EQ(rated_most(packages, Tier::endless, 0).error().reason, "amount_too_large");
    const std::vector<Tier> tiers{{1, Tier::endless, Tier::endless}, {Tier::endless, Tier::endless, Tier::endless}};
    EXPECT_EQ(rated({RatingMode::graduated, tiers}, Tier::endless, 2).error().reason, "amount_too_large");
}

TEST(RatingTest, APriceWithoutSenseIsRefused) {
    const auto refused = [](Rating rating) { return check_rating(rating).has_value() ? "" : "refused"; };
    EXPECT_STREQ(refused({}), "");
    EXPECT_STREQ(refused({.tiers = {}}), "refused");
    EXPECT_STREQ(refused({.tiers = {{.up_to = 5}}}), "refused") << "what costs the sixth?";
    EXPECT_STREQ(refused({.tiers = {{.nano_per_million = -1}}}), "refused");
    EXPECT_STREQ(refused({.tiers = {{5, 1, 0}, {}}}), "refused") << "two tiers where one counts";
    EXPECT_STREQ(refused({RatingMode::graduated, {{5, 1, 0}, {5, 1, 0}, {}}}), "refused");
    EXPECT_STREQ(refused({RatingMode::volume, {{5, 1, 0}, {.nano_per_million = 2}}}), "refused") << "it rises";
    EXPECT_STREQ(refused({RatingMode::graduated, {{5, 1, 0}, {.nano_per_million = 2}}}), "") << "here it may";
    EXPECT_STREQ(refused({.package = 0}), "refused");
    EXPECT_STREQ(refused({.included = -1}), "refused");
    EXPECT_STREQ(refused({.nano_minimum = -1}), "refused");
}

TEST(RatingTest, GoesThroughJsonUnchanged) {
    const Rating rating{RatingMode::graduated, {{10, 3, 4}, {Tier::endless, 1, 0}}, 1, 7, 9};
    EXPECT_EQ(read_rating(to_json(rating), "it").value(), rating);
    EXPECT_EQ(parse_rating(R"({"tiers":[{}]})", "it").value(), Rating{});
    for (const char* bad : {"", "[]", "{}", R"({"tiers":[]})", R"({"tiers":{}})", R"({"tiers":[{"up_to":1.5}]})",
                            R"({"tiers":[{"nano_per_million":1e30}]})", R"({"tiers":[{}],"mode":"free"})",
                            R"({"tiers":[{}],"colour":1})", R"({"tiers":[{"x":1}]})", R"({"tiers":[{"up_to":0}]})"})
        EXPECT_FALSE(parse_rating(bad, "it")) << bad;
}

TEST(RatingTest, AUnitPriceMustBeAWholeNumberOfBillionths) {
    EXPECT_EQ(unit_rating(Micros{20'000}, 1000)->tiers.front().nano_per_million, 20 * dollar);
    EXPECT_EQ(unit_rating(Micros{1}, 3).error().reason, "bad_price");
    EXPECT_EQ(unit_rating(Micros{1}, 0).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(unit_rating(Micros{INT64_MAX}, 1).error().reason, "bad_price");
}

}  // namespace
}  // namespace rootstock::ledger
