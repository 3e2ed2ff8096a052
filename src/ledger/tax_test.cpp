#include "ledger/tax.h"

#include <numeric>
#include <random>

#include "ledger/money_share.h"
#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using Amounts = std::vector<std::int64_t>;

TaxRate rate_of(std::int64_t points, bool inclusive = false) {
    return {.name = "VAT", .country = "DE", .basis_points = points, .inclusive = inclusive, .starts = {0}};
}

// Tax of the sum, then shared out: line by line it would have been 33500.
TEST(TaxTest, OnceOnTheSumThenByLargestRemainder) {
    const auto taxed = tax_lines({6833, 6833, 5750, 8500}, {rate_of(2000)});
    EXPECT_EQ(taxed.tax, (Amounts{1367, 1366, 1150, 1700}));
    ASSERT_EQ(taxed.rates.size(), 1U);
    EXPECT_EQ(taxed.rates[0].base, 27916);
    EXPECT_EQ(taxed.rates[0].amount, 5583);
    EXPECT_EQ(taxed.net, (Amounts{6833, 6833, 5750, 8500}));
}

TEST(TaxTest, WhatIsInThePriceIsTakenOutOfIt) {
    const auto taxed = tax_lines({11900, 119}, {rate_of(1900, true)});
    EXPECT_EQ(taxed.tax, (Amounts{1900, 19}));
    EXPECT_EQ(taxed.net, (Amounts{10000, 100}));
    EXPECT_EQ(taxed.rates[0].base, 10100);
}

TEST(TaxTest, SeveralRatesEachOnce) {
    const auto taxed = tax_lines({10000}, {rate_of(500), rate_of(998)});
    EXPECT_EQ(taxed.tax, (Amounts{1498}));
    EXPECT_EQ(taxed.rates[1].amount, 998);
    EXPECT_TRUE(tax_lines({10000}, {}).rates.empty());
}

TEST(TaxTest, SharesAddUpWhateverTheirSigns) {
    const auto seed = std::random_device{}();
    std::mt19937_64 random(seed);
    for (int round = 0; round < 20'000; ++round) {
        Amounts parts(random() % 12);
        for (auto& part : parts) part = static_cast<std::int64_t>(random() % 2'000'000) - 500'000;
        const auto factor = static_cast<std::int64_t>(random() % 10'001);
        const auto shares = share_out(parts, factor, 10'000);
        const auto sum = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
        ASSERT_EQ(shares.total, rate(sum, Micros{factor}, 10'000).value) << "seed " << seed;
        ASSERT_EQ(std::accumulate(shares.each.begin(), shares.each.end(), std::int64_t{0}), shares.total)
            << "seed " << seed;
        for (std::size_t i = 0; i < parts.size(); ++i)
            ASSERT_LE(std::abs(shares.each[i] * 10'000 - parts[i] * factor), 10'000) << "seed " << seed;
    }
}

class TaxRates : public Books {};

TEST_F(TaxRates, AreDatedAndEndOnce) {
    const auto add = [&](TaxRate rate) {
        return write([&](store::Session& session) { return add_tax_rate(session, rate, clock_.now()); });
    };
    auto land = rate_of(1900), county = rate_of(100), next = rate_of(2100);
    county.region = "Hamburg";
    next.starts = {2000};
    const auto first = add(land).value();
    ASSERT_TRUE(add(county));
    ASSERT_TRUE(add(next));
    const auto end = [&](std::int64_t at) {
        return write([&](store::Session& session) { return end_tax_rate(session, first.id, {at}); });
    };
    ASSERT_TRUE(end(2000));
    EXPECT_EQ(end(3000).error().reason, "tax_rate_ended");
    const auto at = [&](std::string region, std::int64_t instant) {
        Amounts points;
        for (const auto& rate :
             see([&](store::Session& session) { return tax_rates_for(session, "DE", region, {instant}); }))
            points.push_back(rate.basis_points);
        return points;
    };
    EXPECT_EQ(at("", 1999), (Amounts{1900}));
    EXPECT_EQ(at("Hamburg", 1999), (Amounts{1900, 100}));
    EXPECT_EQ(at("", 2000), (Amounts{2100})) << "half-open: never both";
    land.country = "Germany";
    EXPECT_EQ(add(land).error().param, "country");
    EXPECT_EQ(add(rate_of(10'001)).error().param, "basis_points");
    EXPECT_FALSE(write([&](store::Session& session) -> Result<void> {
        session.execute("UPDATE tax_rate SET basis_points = 1");
        return {};
    }));
}

}  // namespace
}  // namespace rootstock::ledger
