#include "infer/batch/batch_runner.h"

#include <gtest/gtest.h>

#include <numeric>

namespace rootstock {
namespace {

TEST(Apportion, AddsUpExactlyAndIsFair) {
    EXPECT_EQ(apportion(100, {1, 1, 1}), (std::vector<std::int64_t>{33, 33, 34}));
    EXPECT_EQ(apportion(0, {5, 7}), (std::vector<std::int64_t>{0, 0}));
    EXPECT_EQ(apportion(1, {0, 3}), (std::vector<std::int64_t>{0, 1}));
    SeededRandom random(3);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::int64_t> parts;
        for (std::uint64_t i = 0, n = 1 + random.below(40); i < n; ++i)
            parts.push_back(static_cast<std::int64_t>(1 + random.below(512)));
        auto whole = static_cast<std::int64_t>(random.below(10'000'000));
        auto shares = apportion(whole, parts);
        EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}), whole);
        double total = static_cast<double>(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}));
        for (std::size_t i = 0; i < parts.size(); ++i)
            EXPECT_NEAR(static_cast<double>(shares[i]), static_cast<double>(whole) * parts[i] / total, 1.0);
    }
}

}  // namespace
}  // namespace rootstock
