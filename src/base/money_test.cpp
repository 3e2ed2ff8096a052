#include "base/money.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

TEST(Money, RatesRoundHalfAwayFromZero) {
    EXPECT_EQ(rate(1, {20'000}, 1000).value, 20);
    EXPECT_EQ(rate(3, {500}, 1000).value, 2);
    EXPECT_EQ(rate(-3, {500}, 1000).value, -2);
    EXPECT_EQ(rate(1, {499}, 1000).value, 0);
    EXPECT_EQ(rate(1, {1}, 3).value, 0);
    EXPECT_EQ(rate(2, {1}, 3).value, 1);
    EXPECT_EQ(rate(1'000'000'000'000, {9'000'000}, 1000).value, 9'000'000'000'000'000);
}

TEST(Money, FormatsExactlyAndRounded) {
    EXPECT_EQ(format_exact({1'500'000}), "1.500000");
    EXPECT_EQ(format_exact({20}), "0.000020");
    EXPECT_EQ(format_exact({-20}), "-0.000020");
    EXPECT_EQ(format_rounded({1'505'000}), "1.51");
    EXPECT_EQ(format_rounded({-1'505'000}), "-1.51");
    EXPECT_EQ(format_rounded({499'999}, 0), "0");
    EXPECT_EQ(format_rounded({500'000}, 0), "1");
    EXPECT_EQ(format_exact({INT64_MIN}), "-9223372036854.775808");
}

TEST(Money, ParsesAmountsAndRefusesTheRest) {
    EXPECT_EQ(parse_micros("0.02")->value, 20'000);
    EXPECT_EQ(parse_micros("-12")->value, -12'000'000);
    EXPECT_EQ(parse_micros("12.345678")->value, 12'345'678);
    for (const char* bad : {"", ".5", "5.", "1e3", "0.1234567", "1,5", "+", "99999999999999999999", "1 "})
        EXPECT_FALSE(parse_micros(bad)) << bad;
}

TEST(MoneyDeathTest, OverflowStopsTheWork) {
    EXPECT_DEATH(Micros{INT64_MAX} + Micros{1}, "64 bits");
    EXPECT_DEATH(rate(INT64_MAX, {INT64_MAX}, 1), "64 bits");
}

}  // namespace
}  // namespace rootstock
