#include "ledger/period.h"

#include <algorithm>
#include <chrono>

#include "ledger/calendar.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono;

Timestamp start_of(year_month month) {
    return {duration_cast<microseconds>(sys_days(month / 1).time_since_epoch()).count()};
}

Period period_of(year_month month) { return {start_of(month), start_of(month + months(1))}; }

year_month_day date_of(Timestamp instant) { return floor<days>(sys_time<microseconds>(microseconds(instant.micros))); }

std::string padded(unsigned number, std::size_t width) {
    std::string text = std::to_string(number);
    return std::string(width > text.size() ? width - text.size() : 0, '0') + text;
}

std::string month_text(const year_month_day& date) {
    return padded(static_cast<unsigned>(static_cast<int>(date.year())), 4) + "-" +
           padded(static_cast<unsigned>(date.month()), 2);
}

int number(std::string_view digits) {
    int value = 0;
    for (const char digit : digits) value = value * 10 + (digit - '0');
    return value;
}

}  // namespace

Result<Period> month(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool shaped = text.size() == 7 && text[4] == '-' && std::ranges::all_of(text.substr(0, 4), is_digit) &&
                        std::ranges::all_of(text.substr(5), is_digit);
    const int month_number = shaped ? number(text.substr(5)) : 0;
    if (month_number < 1 || month_number > 12 || number(text.substr(0, 4)) < 1970)
        return fail(ErrorCode::invalid_argument, "a month is written as 2026-11, from 1970-01 on", "month");
    return period_of(year(number(text.substr(0, 4))) / month_number);
}

Period month_of(Timestamp instant) {
    const auto date = date_of(instant);
    return period_of(date.year() / date.month());
}

std::string month_name(const Period& period) { return month_text(date_of(period.start)); }

std::string day_name(std::int64_t days_since_epoch) {
    const year_month_day date = sys_days(days(days_since_epoch));
    return month_text(date) + "-" + padded(static_cast<unsigned>(date.day()), 2);
}

}  // namespace rootstock::ledger
