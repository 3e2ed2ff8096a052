#include "data/table/profile.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "data/reader/column_names.h"

namespace rootstock {
namespace {

// A few odd cells do not make a column of numbers or dates something else.
constexpr double nearly_all = 0.99;

void add_number(ColumnProfile& profile, std::string_view text) {
    auto number = parse_number(text);
    if (!number) {
        if (profile.odd_one.empty()) profile.odd_one = text;
        return;
    }
    profile.whole_numbers &= *number == std::floor(*number);
    profile.rising &= profile.numbers.empty() || *number > profile.numbers.back();
    profile.leading_zeros |= has_leading_zero(text);
    profile.numbers.push_back(*number);
}

void add_date(ColumnProfile& profile, std::string_view text) {
    auto day_first = parse_date(text, DateOrder::day_first), month_first = parse_date(text, DateOrder::month_first);
    profile.dates[0] += day_first.has_value();
    profile.dates[1] += month_first.has_value();
    profile.dates_apart += day_first && month_first && day_first->days != month_first->days;
    if (!day_first && !month_first && profile.not_a_date.empty()) profile.not_a_date = text;
}

bool most_of(std::size_t part, const ColumnProfile& profile) {
    return static_cast<double>(part) >= nearly_all * static_cast<double>(profile.present);
}

std::string counted(std::size_t count) { return format_count(count); }

std::string odd_cells(const ColumnProfile& profile, std::size_t good, std::string_view kind, std::string_view example) {
    if (good == profile.present) return {};
    return fmt::format("{} of {} values are no {}, such as '{}'; they count as missing",
                       counted(profile.present - good), counted(profile.present), kind, shortened(example));
}

bool is_flag(const ColumnProfile& profile) {
    return profile.counts.size() == 2 && profile.numbers.size() == profile.present &&
           std::ranges::all_of(profile.numbers, [](double number) { return number == 0 || number == 1; });
}

// "id", "customer_id", "Order ID", "userId", "UDI"
bool is_identifier_name(std::string_view name) {
    auto lower = lower_ascii(name);
    for (auto whole : {"id", "uid", "udi", "uuid", "guid", "index", "idx", "row", "key", "no", "nr", "number"})
        if (lower == whole) return true;
    if (name.ends_with("Id") && name.size() > 2 && std::islower(static_cast<unsigned char>(name[name.size() - 3])))
        return true;
    return lower.ends_with("_id") || lower.ends_with(" id") || lower.ends_with("-id");
}

// Whole numbers that are all different, and either count the rows or are called an identifier.
bool numbers_identify(const ColumnProfile& profile) {
    constexpr std::size_t rows_to_tell = 20;
    if (profile.present < rows_to_tell || profile.missing() > 0 || !profile.whole_numbers) return false;
    if (profile.numbers.size() != profile.rows || profile.counts.size() != profile.rows) return false;
    double range = profile.numbers.back() - profile.numbers.front() + 1;
    bool counts_rows = profile.rising && range <= 2 * static_cast<double>(profile.rows);
    return counts_rows || is_identifier_name(profile.name);
}

TableColumn column_of(const ColumnProfile& profile, ColumnRole role, std::string reason, std::string note = {}) {
    return {.name = std::string(profile.name), .role = role, .reason = std::move(reason), .note = std::move(note)};
}

std::string all_or_most(std::size_t part, const ColumnProfile& profile, std::string_view what) {
    if (part == profile.present) return fmt::format("all {} values are {}", counted(part), what);
    return fmt::format("{} of {} values are {}", counted(part), counted(profile.present), what);
}

TableColumn numbers_role(const ColumnProfile& profile) {
    if (is_flag(profile)) return column_of(profile, ColumnRole::categorical, "a flag: every value is 0 or 1");
    if (numbers_identify(profile))
        return column_of(profile, ColumnRole::left_out, "an identifier: whole numbers that name or count the rows",
                         "set its role to numeric if it means an amount or a time");
    return column_of(profile, ColumnRole::numeric, all_or_most(profile.numbers.size(), profile, "numbers"),
                     odd_cells(profile, profile.numbers.size(), "numbers", profile.odd_one));
}

TableColumn dates_role(const ColumnProfile& profile) {
    auto note = odd_cells(profile, profile.most_dates(), "dates", profile.not_a_date);
    if (profile.dates[0] == profile.dates[1] && profile.dates_apart > 0)
        note += std::string(note.empty() ? "" : "; ") +
                "day and month could be exchanged; the first number was taken for the day";
    return column_of(profile, ColumnRole::date, all_or_most(profile.most_dates(), profile, "dates"), note);
}

TableColumn texts_role(const ColumnProfile& profile, const TableOptions& options) {
    if (profile.counts.size() == profile.present && profile.present > 1)
        return column_of(profile, ColumnRole::left_out,
                         fmt::format("an identifier: all {} values differ", counted(profile.present)));
    std::int64_t covered = 0;
    for (const auto& value : vocabulary_of(profile, options)) covered += profile.counts.at(value);
    if (2 * static_cast<std::size_t>(covered) < profile.present)
        return column_of(profile, ColumnRole::left_out,
                         fmt::format("free text: {} different values among {}", counted(profile.counts.size()),
                                     counted(profile.present)));
    std::string kind = profile.leading_zeros ? "codes, some with leading zeros" : "different values";
    return column_of(profile, ColumnRole::categorical,
                     fmt::format("{} {} among {}", counted(profile.counts.size()), kind, counted(profile.present)));
}

}  // namespace

ColumnProfile profile_column(const TableRows& table, std::span<const std::size_t> rows, std::size_t column,
                             const CellReader& cells) {
    ColumnProfile profile;
    profile.name = table.columns[column];
    profile.rows = rows.size();
    for (auto row : rows) {
        auto text = cells.value(table.records[row], column);
        if (!text) continue;
        ++profile.present;
        ++profile.counts[*text];
        add_number(profile, *text);
        add_date(profile, *text);
    }
    return profile;
}

TableColumn detect_role(const ColumnProfile& profile, const TableOptions& options) {
    if (profile.present == 0) return column_of(profile, ColumnRole::left_out, "every value is missing");
    if (profile.counts.size() == 1 && profile.missing() == 0)
        return column_of(profile, ColumnRole::left_out,
                         fmt::format("constant: every row holds '{}'", shortened(profile.counts.begin()->first)));
    if (profile.counts.size() == 1)
        return column_of(profile, ColumnRole::categorical,
                         fmt::format("every value is '{}' or missing", shortened(profile.counts.begin()->first)));
    if (most_of(profile.numbers.size(), profile) && !profile.leading_zeros) return numbers_role(profile);
    if (most_of(profile.most_dates(), profile)) return dates_role(profile);
    return texts_role(profile, options);
}

std::vector<std::string> vocabulary_of(const ColumnProfile& profile, const TableOptions& options) {
    std::vector<std::pair<std::int64_t, std::string_view>> frequent;
    for (const auto& [value, count] : profile.counts)
        if (count >= options.category_rows_min) frequent.emplace_back(-count, value);
    std::ranges::sort(frequent);
    frequent.resize(std::min(frequent.size(), static_cast<std::size_t>(options.categories_max)));
    std::vector<std::string> vocabulary;
    for (const auto& [count, value] : frequent) vocabulary.emplace_back(value);
    return vocabulary;
}

}  // namespace rootstock
