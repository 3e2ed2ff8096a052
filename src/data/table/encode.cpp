#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>
#include <unordered_set>

#include "data/table/cells.h"

namespace rootstock {
namespace {

constexpr std::size_t absent = static_cast<std::size_t>(-1);

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 10;
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) (list += i > 0 ? ", '" : "'") += names[i] + "'";
    return names.size() > shown ? list + fmt::format(" and {} more", names.size() - shown) : list;
}

std::string columns_listed(const std::vector<std::string>& names) {
    return (names.size() == 1 ? "the column " : "the columns ") + listed(names);
}

// One column of the schema, ready to be filled in: where its values stand and what they become.
struct ColumnPlan {
    const TableColumn* column = nullptr;
    std::size_t place = absent;  // in the rows
    std::unordered_map<std::string_view, std::int32_t> ids;
};

bool fits_a_float(double value) { return std::abs(value) <= std::numeric_limits<float>::max(); }

std::unordered_map<std::string_view, std::int32_t> ids_of(const std::vector<std::string>& names, std::int32_t first) {
    std::unordered_map<std::string_view, std::int32_t> ids;
    for (const auto& one : names) ids.emplace(one, first++);
    return ids;
}

class Encoder {
public:
    Encoder(const TableSchema& schema, const TableRows& table, LabelUse use, EncodedTable& encoded)
        : schema_(schema), table_(table), use_(use), encoded_(encoded), cells_(schema.missing) {}

    Result<void> plan() {
        std::unordered_map<std::string_view, std::size_t> places;
        for (std::size_t i = 0; i < table_.columns.size(); ++i) places.emplace(table_.columns[i], i);
        std::vector<std::string> lacking;
        for (const auto& column : schema_.columns) {
            auto place = places.extract(column.name);
            if (column.role == ColumnRole::left_out) continue;
            if (place.empty()) {
                lacking.push_back(column.name);
                continue;
            }
            plans_.push_back({&column, place.mapped(), ids_of(column.categories, TableSchema::first_category_id)});
        }
        if (auto place = places.extract(schema_.label.name); !place.empty()) label_place_ = place.mapped();
        if (use_ == LabelUse::require && label_place_ == absent) lacking.push_back(schema_.label.name);
        if (!lacking.empty())
            return fail(ErrorCode::invalid_argument,
                        fmt::format("the rows lack {}, which the model needs; they have {}", columns_listed(lacking),
                                    columns_listed(table_.columns)),
                        lacking[0], "missing_column");
        std::vector<std::string> unknown;
        for (const auto& name : table_.columns)
            if (places.contains(name)) unknown.push_back(name);
        if (!unknown.empty())
            return fail(ErrorCode::invalid_argument,
                        fmt::format("the rows have {}, which the model was not trained with; remove {}",
                                    columns_listed(unknown), unknown.size() == 1 ? "it" : "them"),
                        unknown[0], "unknown_column");
        classes_ = ids_of(schema_.label.classes, 0);
        return {};
    }

    void add(const Record& record) {
        if (use_ == LabelUse::require && !add_label(record)) return;
        for (const auto& plan : plans_) add_cell(plan, record);
        encoded_.row_numbers.push_back(record.row);
        ++encoded_.rows;
    }

private:
    bool add_label(const Record& record) {
        auto text = cells_.value(record, label_place_);
        if (!text) return keep_aside(record, "the label is missing; fill it in or remove the row");
        if (schema_.label.kind == LabelKind::classes) {
            auto found = classes_.find(*text);
            if (found == classes_.end())
                return keep_aside(record, fmt::format("the label '{}' is not one of the {} the model knows",
                                                      shortened(*text), classes_.size()));
            encoded_.classes.push_back(found->second);
            return true;
        }
        auto number = parse_number(*text);
        if (!number) return keep_aside(record, fmt::format("the label '{}' is not a number", shortened(*text)));
        double target = schema_.label.scaling.apply(*number);
        if (!fits_a_float(target)) return keep_aside(record, fmt::format("the label '{}' is too large", *text));
        encoded_.targets.push_back(static_cast<float>(target));
        return true;
    }

    bool keep_aside(const Record& record, std::string reason) {
        encoded_.problems.push_back({record.row, record.line, schema_.label.name, std::move(reason)});
        return false;
    }

    void add_cell(const ColumnPlan& plan, const Record& record) {
        auto text = cells_.value(record, plan.place);
        if (plan.column->role == ColumnRole::categorical)
            add_category(plan, text);
        else if (plan.column->role == ColumnRole::numeric)
            add_number(plan, record, text);
        else
            add_date(plan, record, text);
    }

    void add_category(const ColumnPlan& plan, std::optional<std::string_view> text) {
        auto id = TableSchema::missing_id;
        if (text) {
            auto found = plan.ids.find(*text);
            id = found == plan.ids.end() ? TableSchema::unknown_id : found->second;
        }
        encoded_.categories.push_back(id);
    }

    void add_number(const ColumnPlan& plan, const Record& record, std::optional<std::string_view> text) {
        auto number = text ? parse_number(*text) : std::nullopt;
        if (text && !number) count_as_missing(plan, record, *text, "is not a number");
        if (number) number = plan.column->scaling.apply(*number);
        if (number && !fits_a_float(*number)) {
            count_as_missing(plan, record, *text, "is too large");
            number.reset();
        }
        pack(number);
    }

    void add_date(const ColumnPlan& plan, const Record& record, std::optional<std::string_view> text) {
        auto moment = text ? parse_date(*text, plan.column->order) : std::nullopt;
        if (text && !moment) count_as_missing(plan, record, *text, "is not a date");
        if (!moment) {
            for (int part = 0; part < 5; ++part) pack(std::nullopt);
            return;
        }
        double weekday = 2 * std::numbers::pi * moment->weekday / 7,
               month = 2 * std::numbers::pi * (moment->month - 1) / 12;
        for (double part : {plan.column->scaling.apply(moment->days), std::sin(weekday), std::cos(weekday),
                            std::sin(month), std::cos(month)})
            pack(part);
    }

    void pack(std::optional<double> value) {
        encoded_.numeric.push_back(static_cast<float>(value.value_or(0)));
        encoded_.numeric_missing.push_back(!value);
    }

    void count_as_missing(const ColumnPlan& plan, const Record& record, std::string_view text, std::string_view fault) {
        encoded_.problems.push_back({record.row, record.line, plan.column->name,
                                     fmt::format("'{}' {}; it counts as missing", shortened(text), fault)});
    }

    const TableSchema& schema_;
    const TableRows& table_;
    LabelUse use_;
    EncodedTable& encoded_;
    CellReader cells_;
    std::vector<ColumnPlan> plans_;
    std::size_t label_place_ = absent;
    std::unordered_map<std::string_view, std::int32_t> classes_;
};

}  // namespace

Result<EncodedTable> encode_table(const TableSchema& schema, const TableRows& table, std::span<const std::size_t> rows,
                                  LabelUse use) {
    if (use == LabelUse::require && schema.label.kind == LabelKind::none)
        return fail(ErrorCode::invalid_argument,
                    "the model was trained without a label, so rows cannot be compared with it", "label");
    EncodedTable encoded;
    Encoder encoder(schema, table, use, encoded);
    ROOTSTOCK_CHECKED(encoder.plan());
    for (auto row : rows) {
        ROOTSTOCK_CHECK(row < table.records.size(), "a row that is not there");
        encoder.add(table.records[row]);
    }
    return encoded;
}

void append_row(const ColumnBatch& from, std::size_t row, ColumnBatch& to) {
    const auto rows = static_cast<std::size_t>(from.rows);
    ROOTSTOCK_CHECK(row < rows, "a row that is not there");
    const auto copy = [&](const auto& source, auto& target) {
        const auto width = source.size() / rows;
        const auto begin = source.begin() + static_cast<std::ptrdiff_t>(row * width);
        target.insert(target.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
    };
    copy(from.numeric, to.numeric);
    copy(from.numeric_missing, to.numeric_missing);
    copy(from.categories, to.categories);
    ++to.rows;
}

ColumnBatch pick_rows(const ColumnBatch& all, std::span<const std::size_t> chosen) {
    ColumnBatch batch;
    for (const auto row : chosen) append_row(all, row, batch);
    return batch;
}

}  // namespace rootstock
