#include <algorithm>
#include <cmath>
#include <set>

#include "data/table/profile.h"

namespace rootstock {
namespace {

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 20;
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) (list += i > 0 ? ", '" : "'") += names[i] + "'";
    return names.size() > shown ? list + fmt::format(" and {} more", names.size() - shown) : list;
}

std::unexpected<Error> wrong(std::string message, std::string param) {
    return fail(ErrorCode::invalid_argument, std::move(message), std::move(param));
}

Result<void> check_names(const TableRows& table, const TableOptions& options) {
    if (table.columns.size() > table_columns_max)
        return fail(ErrorCode::too_large, fmt::format("the rows have {} columns; at most {} are taken",
                                                      table.columns.size(), table_columns_max));
    auto known = [&](const std::string& name) { return std::ranges::find(table.columns, name) != table.columns.end(); };
    if (!options.label.empty() && !known(options.label))
        return wrong(fmt::format("there is no label column '{}'; the rows have the columns {}", options.label,
                                 listed(table.columns)),
                     "label");
    for (const auto& [name, role] : options.roles)
        if (!known(name) || name == options.label)
            return wrong(fmt::format("a role is given to the column '{}', which {}; the rows have the columns {}", name,
                                     name == options.label ? "is the label" : "is not there", listed(table.columns)),
                         "roles");
    return {};
}

// ---- one column

NumberScaling learn_scaling(std::span<const double> values, NumberScaling::Kind kind) {
    if (kind == NumberScaling::Kind::quantile) return learn_quantile_scaling(values, quantile_count(values.size()));
    if (kind == NumberScaling::Kind::standard) return learn_standard_scaling(values);
    return {};
}

bool is_finite(const NumberScaling& scaling) {
    return std::isfinite(scaling.mean) && std::isfinite(scaling.deviation) &&
           std::ranges::all_of(scaling.quantiles, [](double quantile) { return std::isfinite(quantile); });
}

std::vector<double> days_of(const ColumnProfile& profile, DateOrder order) {
    std::vector<double> days;
    for (const auto& [text, count] : profile.counts)
        if (auto moment = parse_date(text, order))
            days.insert(days.end(), static_cast<std::size_t>(count), moment->days);
    std::ranges::sort(days);  // the map has no order of its own
    return days;
}

std::unexpected<Error> role_impossible(const ColumnProfile& profile, ColumnRole role, std::string_view why) {
    return wrong(fmt::format("the column '{}' cannot be {}: {}; give it another role", profile.name, name(role), why),
                 "roles");
}

Result<void> learn_numbers(const ColumnProfile& profile, std::span<const double> values, const TableOptions& options,
                           TableColumn& column) {
    if (values.empty()) return role_impossible(profile, column.role, "none of its values is one");
    column.scaling = learn_scaling(values, options.scaling);
    if (!is_finite(column.scaling))
        return role_impossible(profile, column.role, "its values are too large to be scaled");
    return {};
}

Result<void> learn_column(const ColumnProfile& profile, const TableOptions& options, TableColumn& column) {
    switch (column.role) {
        case ColumnRole::numeric:
            return learn_numbers(profile, profile.numbers, options, column);
        case ColumnRole::date:
            column.order = profile.order();
            return learn_numbers(profile, days_of(profile, column.order), options, column);
        case ColumnRole::categorical:
            column.categories = vocabulary_of(profile, options);
            if (column.categories.empty())
                return role_impossible(profile, column.role,
                                       fmt::format("no value stands in at least {} rows", options.category_rows_min));
            return {};
        case ColumnRole::left_out:
            return {};
    }
    ROOTSTOCK_CHECK(false, "a ColumnRole outside its list");
}

Result<TableColumn> learn_one(const ColumnProfile& profile, const TableOptions& options) {
    auto column = detect_role(profile, options);
    auto chosen = options.roles.find(column.name);
    if (chosen != options.roles.end()) {
        bool same = column.role == chosen->second;
        column.reason =
            "chosen" + (same ? "; " + column.reason
                             : "; detected was " + std::string(name(column.role)) + " (" + column.reason + ")");
        if (!same) column.note.clear();
        column.role = chosen->second;
    } else if (column.role == ColumnRole::categorical && vocabulary_of(profile, options).empty()) {
        column.role = ColumnRole::left_out;
        column.reason = fmt::format("no value stands in at least {} rows", options.category_rows_min);
    }
    ROOTSTOCK_CHECKED(learn_column(profile, options, column));
    return column;
}

// ---- the label

// Numbers that are no small set of whole ones are amounts.
LabelKind detect_label(const ColumnProfile& profile) {
    constexpr std::size_t classes_of_numbers_max = 20;
    if (profile.numbers.size() != profile.present) return LabelKind::classes;
    bool amounts = !profile.whole_numbers && profile.counts.size() > 2;
    return amounts || profile.counts.size() > classes_of_numbers_max ? LabelKind::number : LabelKind::classes;
}

Result<TableLabel> learn_label(const ColumnProfile& profile, const TableOptions& options) {
    TableLabel label{.name = options.label, .kind = options.label_kind};
    if (profile.present == 0) return wrong(fmt::format("the label '{}' is missing in every row", label.name), "label");
    if (label.kind == LabelKind::none) label.kind = detect_label(profile);
    if (label.kind == LabelKind::number) {
        if (profile.numbers.empty())
            return wrong(
                fmt::format("the label '{}' holds no number, such as '{}'", label.name, shortened(profile.odd_one)),
                "label");
        label.scaling = learn_standard_scaling(profile.numbers);
        if (!is_finite(label.scaling))
            return wrong(fmt::format("the numbers of the label '{}' are too large to be scaled", label.name), "label");
        return label;
    }
    for (const auto& [value, count] : profile.counts) label.classes.emplace_back(value);
    std::ranges::sort(label.classes);
    if (label.classes.size() < 2)
        return wrong(fmt::format("the label '{}' holds one class only ('{}'); a classifier needs at least two",
                                 label.name, shortened(label.classes[0])),
                     "label");
    if (label.classes.size() > static_cast<std::size_t>(options.categories_max))
        return wrong(fmt::format("the label '{}' has {} classes, more than {}; name the right column", label.name,
                                 format_count(label.classes.size()), options.categories_max),
                     "label");
    return label;
}

}  // namespace

Result<TableSchema> learn_table_schema(const TableRows& table, std::span<const std::size_t> training,
                                       const TableOptions& options) {
    ROOTSTOCK_CHECK(options.category_rows_min > 0 && options.categories_max > 0 && options.categories_max <= 1'000'000,
                    "bounds for categories");
    if (training.empty()) return wrong("there are no training rows to learn the columns from", "training");
    for (auto row : training) ROOTSTOCK_CHECK(row < table.records.size(), "a training row that is not there");
    ROOTSTOCK_CHECKED(check_names(table, options));
    TableSchema schema;
    schema.missing = options.missing.empty() ? default_missing_spellings() : options.missing;
    CellReader cells(schema.missing);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        auto profile = profile_column(table, training, i, cells);
        if (table.columns[i] == options.label) {
            ROOTSTOCK_TRY(label, learn_label(profile, options));
            schema.label = std::move(label);
            continue;
        }
        ROOTSTOCK_TRY(column, learn_one(profile, options));
        schema.columns.push_back(std::move(column));
    }
    bool usable = std::ranges::any_of(schema.columns, [](const auto& c) { return c.role != ColumnRole::left_out; });
    if (!usable) return wrong("no column can be learned from: all are constant, missing or identifiers", "columns");
    return schema;
}

}  // namespace rootstock
