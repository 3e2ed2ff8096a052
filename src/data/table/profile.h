#pragma once
// What the training rows say about one column, and the role that follows.

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/table/cells.h"

namespace rootstock {

struct ColumnProfile {
    std::string_view name;
    std::size_t rows = 0, present = 0;
    std::unordered_map<std::string_view, std::int64_t> counts;  // of each different value
    std::vector<double> numbers;  // of the values that are numbers, in the order of the rows
    bool whole_numbers = true;    // all of them
    bool rising = true;           // each above the one before
    bool leading_zeros = false;
    std::array<std::size_t, 2> dates{};  // how many values are dates, for each DateOrder
    std::size_t dates_apart = 0;         // values that are another date for the other order
    std::string_view odd_one;            // a value that is no number; empty when all are
    std::string_view not_a_date;         // likewise

    std::size_t missing() const { return rows - present; }
    DateOrder order() const { return dates[1] > dates[0] ? DateOrder::month_first : DateOrder::day_first; }
    std::size_t most_dates() const { return std::max(dates[0], dates[1]); }
};

// Views point into the table.
ColumnProfile profile_column(const TableRows& table, std::span<const std::size_t> rows, std::size_t column,
                             const CellReader& cells);

// Role, reason and note; the rest of the column is left to the learner.
TableColumn detect_role(const ColumnProfile& profile, const TableOptions& options);

// Values of at least category_rows_min rows, most frequent first, equal ones by their bytes, at most categories_max.
std::vector<std::string> vocabulary_of(const ColumnProfile& profile, const TableOptions& options);

}  // namespace rootstock
