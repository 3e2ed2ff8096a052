#pragma once
// Billing time. An account has an IANA zone; its periods begin at the start of a local day, so that a customer's month
// is the month of his wall calendar whatever summer time does. Nothing is ever a fixed offset or a number of hours.
//
// A local day begins at its first instant: where the clock jumps over midnight, at the end of the jump; where midnight
// comes twice, at the first. A day that a zone left out (Samoa, 2011-12-30) begins where the next one does.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base.h"
#include "ledger/period.h"

namespace rootstock::ledger {

using Date = std::chrono::year_month_day;  // of the proleptic Gregorian calendar, in some zone

// invalid_argument, param "timezone", for a name that the zone data does not have. All functions below take a checked
// zone.
Result<void> check_zone(const std::string& zone);
std::string zone_data_version();  // "2025b": of the zone data in use

Date local_date(const std::string& zone, Timestamp instant);
Timestamp start_of_day(const std::string& zone, Date date);
// So many days later, at the same time by the wall clock; at the end of a jump where that time is left out.
Timestamp days_later(const std::string& zone, Timestamp instant, int days);
std::int64_t days_between(Date from, Date to);

std::string date_text(Date date);               // "2026-11-23"
Result<Date> read_date(std::string_view text);  // the same; invalid_argument for what is no date

// Periods of one or more months from an anchor on. The anchor's day of the month is kept: January 31 is followed by
// February 28, March 31, April 30.
struct Cycle {
    std::string zone = "UTC";
    Date anchor{};
    int months = 1;

    Date boundary(std::int64_t number) const;  // 0: the anchor
    Period period(std::int64_t number) const;  // from boundary(number) up to boundary(number + 1)
    std::int64_t number_at(Timestamp instant) const;
    Period at(Timestamp instant) const { return period(number_at(instant)); }
};

// amount x part / whole, rounded once, half away from zero: what is due for `part` of `whole` local days.
std::int64_t prorated(std::int64_t amount, std::int64_t part, std::int64_t whole);

}  // namespace rootstock::ledger
