#pragma once
// One value of a table, read as a number or as a date.

#include <optional>
#include <string_view>
#include <unordered_set>

#include "data/table/table.h"

namespace rootstock {

// Decimal, as 12, -0.5, .5 or 1e-3; finite; nothing before or after.
std::optional<double> parse_number(std::string_view text);

// 007 or 01234: digits that somebody wrote as a code.
bool has_leading_zero(std::string_view text);

// The beginning of a value, for messages.
std::string shortened(std::string_view valid_text);

struct Moment {
    double days = 0;  // since 1970-01-01, the time of day as a fraction
    int weekday = 0;  // 0 Monday
    int month = 1;
};

std::optional<Moment> parse_date(std::string_view text, DateOrder order);

// Tells what is missing; gives the value of a record without surrounding white space.
class CellReader {
public:
    explicit CellReader(std::span<const std::string> missing_spellings);

    // Nothing when the record ends before the column, the value is absent or it is spelt as missing.
    std::optional<std::string_view> value(const Record& record, std::size_t column) const;

private:
    std::unordered_set<std::string> missing_;
    std::size_t longest_ = 0;
};

}  // namespace rootstock
