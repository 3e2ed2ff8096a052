#include "ledger/zone.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace rootstock::ledger {
namespace {

using namespace std::chrono;

Date on(const char* text) { return read_date(text).value(); }
Timestamp at(const char* zone, const char* date, int hour, int minute) {
    return {start_of_day(zone, on(date)).micros + (hour * 60LL + minute) * 60'000'000};
}
std::string boundaries(Cycle cycle, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += date_text(cycle.boundary(i)) + " ";
    return text;
}

TEST(ZoneTest, TheAnchorsDayIsKeptThroughShortMonths) {
    EXPECT_EQ(boundaries({"UTC", on("2026-01-31")}, 5), "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 ");
    EXPECT_EQ(boundaries({"UTC", on("2028-01-30")}, 3), "2028-01-30 2028-02-29 2028-03-30 ");
    EXPECT_EQ(boundaries({"UTC", on("2028-02-29"), 12}, 5), "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29 ");
    EXPECT_EQ(date_text(Cycle{"UTC", on("2026-01-31")}.boundary(-2)), "2025-11-30");
}

TEST(ZoneTest, AMonthWithSummerTimeHasItsOwnLength) {
    const auto march = Cycle{"America/New_York", on("2026-03-01")}.period(0);
    EXPECT_EQ((march.end.micros - march.start.micros) / 1'000'000, 2'674'800) << "743 hours";
    EXPECT_EQ(to_iso8601(march.start), "2026-03-01T05:00:00Z");
    EXPECT_EQ(to_iso8601(march.end), "2026-04-01T04:00:00Z");
}

TEST(ZoneTest, ATrialIsCountedInDaysNotInHours) {
    const char* zone = "America/Los_Angeles";
    const auto end = days_later(zone, at(zone, "2017-03-01", 23, 30), 30);
    EXPECT_EQ(date_text(local_date(zone, end)), "2017-03-31");
    EXPECT_EQ(end, at(zone, "2017-03-31", 23, 30));
}

TEST(ZoneTest, ADayBeginsAtItsFirstInstant) {
    EXPECT_EQ(to_iso8601(start_of_day("America/Sao_Paulo", on("2018-11-04"))), "2018-11-04T03:00:00Z")
        << "the clock jumped from 0:00 to 1:00";
    EXPECT_EQ(to_iso8601(start_of_day("America/Havana", on("2026-11-01"))), "2026-11-01T04:00:00Z")
        << "0:00 came twice";
    EXPECT_EQ(start_of_day("Pacific/Apia", on("2011-12-30")), start_of_day("Pacific/Apia", on("2011-12-31")))
        << "a day that was left out";
}

TEST(ZoneTest, ProrationIsExactAndRoundedOnce) {
    EXPECT_EQ(prorated(-1000, 15, 30), -500);
    EXPECT_EQ(prorated(2000, 15, 30), 1000) << "10 to 20 at half a period: -5.00 and +10.00";
    EXPECT_EQ(prorated(-2000, 15, 30) + prorated(3000, 30, 30), 2000);
    EXPECT_EQ(prorated(1000, 1, 3), 333);
    EXPECT_EQ(prorated(1000, 2, 3), 667);
    EXPECT_EQ(prorated(1, 1, 2), 1);
    EXPECT_EQ(prorated(-1, 1, 2), -1) << "away from zero on both sides";
}

TEST(ZoneTest, WhatIsNoZoneOrDateIsRefused) {
    EXPECT_TRUE(check_zone("Europe/Berlin"));
    for (const char* bad : {"", "Mars/Base", "europe/berlin", "../etc/passwd", "+01:00"})
        EXPECT_EQ(check_zone(bad).error().reason, "unknown_timezone") << bad;
    for (const char* bad : {"", "2026-02-29", "2026-13-01", "2026-1-01", "1969-12-31", "2026/01/01", "2026-01-0x"})
        EXPECT_FALSE(read_date(bad)) << bad;
    EXPECT_FALSE(zone_data_version().empty());
}

// Every boundary is the end of one period and the start of the next, stands on the expected day, and every instant
// beside it finds its period.
void sweep(const std::string& zone, unsigned day, int years) {
    const Cycle cycle{zone, Date(year(2020), January, std::chrono::day(day)), 1};
    for (std::int64_t number = 0; number < years * 12; ++number) {
        const auto period = cycle.period(number);
        ASSERT_LT(period.start, period.end) << zone << " " << day << " " << number;
        ASSERT_EQ(period.end, cycle.period(number + 1).start) << zone << " " << day << " " << number;
        ASSERT_EQ(cycle.number_at(period.start), number) << zone << " " << day;
        ASSERT_EQ(cycle.number_at({period.end.micros - 1}), number) << zone << " " << day;
        ASSERT_EQ(local_date(zone, period.start), cycle.boundary(number)) << zone << " " << day;
    }
}

// A sample of the zones; with ROOTSTOCK_ALL_ZONES=1 all of them.
TEST(ZoneTest, NoGapNoOverlapInAnyZone) {
    const bool all = std::getenv("ROOTSTOCK_ALL_ZONES") != nullptr;
    std::int64_t zones = 0, place = 0;
    for (const auto& zone : date::get_tzdb().zones) {
        if (!all && place++ % 40 != 0) continue;
        ++zones;
        for (unsigned day = 1; day <= 31 && !::testing::Test::HasFatalFailure(); ++day) sweep(zone.name(), day, 10);
    }
    EXPECT_GE(zones, 10);
    std::printf("%lld zones, %lld periods\n", static_cast<long long>(zones), static_cast<long long>(zones * 31 * 120));
}

}  // namespace
}  // namespace rootstock::ledger
