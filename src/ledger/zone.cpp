#include "ledger/zone.h"

#include <date/tz.h>

#include <algorithm>

#include "ledger/calendar.h"

namespace rootstock::ledger {
namespace {

using std::chrono::microseconds;

// The library throws for an unknown name; only check_zone may meet one.
const date::time_zone* find(const std::string& zone) {
    try {
        return date::locate_zone(zone);
    } catch (const std::runtime_error&) {
        return nullptr;
    }
}

const date::time_zone& checked(const std::string& zone) {
    const auto* found = find(zone);
    ROOTSTOCK_CHECK(found != nullptr, "a time zone that was not checked");
    return *found;
}

date::local_days local_days(Date date) {
    return date::local_days(date::days(std::chrono::sys_days(date).time_since_epoch().count()));
}

Date civil(date::local_days days) { return std::chrono::sys_days(std::chrono::days(days.time_since_epoch().count())); }

Timestamp instant_of(const date::time_zone& zone, date::local_time<microseconds> local) {
    return {zone.to_sys(local, date::choose::earliest).time_since_epoch().count()};
}

date::local_time<microseconds> local_time(const date::time_zone& zone, Timestamp instant) {
    return zone.to_local(date::sys_time<microseconds>(microseconds(instant.micros)));
}

// floor(a / b) for b > 0.
std::int64_t floored(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Result<void> check_zone(const std::string& zone) {
    if (!zone.empty() && zone.size() <= 64 && find(zone)) return {};
    return fail(ErrorCode::invalid_argument,
                "'" + zone.substr(0, 64) + "' is no time zone known here: use an IANA name such as Europe/Berlin",
                "timezone", "unknown_timezone");
}

std::string zone_data_version() { return date::get_tzdb().version; }

Date local_date(const std::string& zone, Timestamp instant) {
    return civil(date::floor<date::days>(local_time(checked(zone), instant)));
}

Timestamp start_of_day(const std::string& zone, Date date) { return instant_of(checked(zone), local_days(date)); }

Timestamp days_later(const std::string& zone, Timestamp instant, int days) {
    const auto& found = checked(zone);
    return instant_of(found, local_time(found, instant) + date::days(days));
}

std::int64_t days_between(Date from, Date to) {
    return (std::chrono::sys_days(to) - std::chrono::sys_days(from)).count();
}

std::string date_text(Date date) { return day_name(std::chrono::sys_days(date).time_since_epoch().count()); }

Result<Date> read_date(std::string_view text) {
    const auto digits = [&](std::size_t from, std::size_t count) {
        int value = 0;
        for (const char c : text.substr(from, count)) {
            if (c < '0' || c > '9') return -1;
            value = value * 10 + (c - '0');
        }
        return value;
    };
    if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
        const int year = digits(0, 4), month = digits(5, 2), day = digits(8, 2);
        if (year >= 1970 && month > 0 && day > 0) {
            const Date date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day)));
            if (date.ok()) return date;
        }
    }
    return fail(ErrorCode::invalid_argument, "a date is written as 2026-11-23, from 1970 on", "date");
}

Date Cycle::boundary(std::int64_t number) const {
    const auto month = std::chrono::year_month(anchor.year(), anchor.month()) + std::chrono::months(number * months);
    const std::chrono::year_month_day_last last(month.year(), std::chrono::month_day_last(month.month()));
    return {month.year(), month.month(), std::min(anchor.day(), last.day())};
}

Period Cycle::period(std::int64_t number) const {
    return {start_of_day(zone, boundary(number)), start_of_day(zone, boundary(number + 1))};
}

// The months between the two dates give the number or the one behind it.
std::int64_t Cycle::number_at(Timestamp instant) const {
    const Date date = local_date(zone, instant);
    const auto apart = (date.year() - anchor.year()).count() * 12 + static_cast<int>(unsigned(date.month())) -
                       static_cast<int>(unsigned(anchor.month()));
    auto number = floored(apart, months);
    while (start_of_day(zone, boundary(number)) > instant) --number;
    while (start_of_day(zone, boundary(number + 1)) <= instant) ++number;
    return number;
}

std::int64_t prorated(std::int64_t amount, std::int64_t part, std::int64_t whole) {
    ROOTSTOCK_CHECK(part >= 0 && part <= whole && whole > 0, "a part of a period that is none");
    return rate(amount, Micros{part}, whole).value;
}

}  // namespace rootstock::ledger
