// Tables: rows of mixed columns, and a model of their own. Which rows are held out is decided first, for the schema may
// be learned from the training rows alone. Measured by the report of classes, or of numbers, on rows that were not
// learned from.

#include <algorithm>
#include <map>
#include <optional>

#include "data/data.h"
#include "flow/tuning/table_measure.h"
#include "flow/tuning/task.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

// A file's rows, and what of them the model can be given.
struct TableFile {
    TableRows table;
    std::string digest;
    std::vector<Problem> problems;  // rows kept aside, and cells that count as missing
    std::int64_t examples = 0, kept_aside = 0;
    bool missing = false;  // of the rows counted, some lack a number

    std::int64_t all_rows() const { return static_cast<std::int64_t>(table.records.size() + table.problems.size()); }

    Result<void> count(const TableSchema& schema, std::span<const std::size_t> rows) {
        ROOTSTOCK_TRY(encoded, encode_table(schema, table, rows, LabelUse::require));
        problems.insert(problems.end(), encoded.problems.begin(), encoded.problems.end());
        examples += encoded.rows;
        missing = missing || std::ranges::count(encoded.numeric_missing, 1) > 0;
        kept_aside += static_cast<std::int64_t>(rows.size()) - encoded.rows;
        return {};
    }
};

Result<TableFile> read_file_of_rows(const fs::path& path) {
    TableFile file;
    ROOTSTOCK_TRY(table, read_table(path));
    ROOTSTOCK_TRY(digest, sha256_file(path));
    file.digest = digest;
    file.problems = table.problems;
    file.kept_aside = static_cast<std::int64_t>(table.problems.size());
    file.table = std::move(table);
    return file;
}

std::string counted(std::size_t count, const char* one, const char* many) {
    return format_count(count) + " " + (count == 1 ? one : many);
}

struct TableParts {
    TableFile train;
    Split split;
    TableSchema schema;
    bool missing = false;  // rows to learn from lack numbers
    std::optional<TableFile> eval;
    TableSettings settings;
};

class TableTaskRows final : public TaskRows {
public:
    explicit TableTaskRows(TableParts parts) : parts_(std::move(parts)) {}

    std::vector<std::string> labels() const override { return parts_.schema.label.classes; }
    void describe(TuningPlan& plan) const override;
    void summarise(PreparedJob& summary) const override;
    Result<void> write(const fs::path& folder) const override;

private:
    std::string columns_in_words() const;

    TableParts parts_;
};

void TableTaskRows::describe(TuningPlan& plan) const {
    plan.base_name = "a new FT-Transformer";
    plan.dataset_digest = parts_.train.digest;
    plan.label_column = parts_.schema.label.name;
    plan.rows = parts_.train.all_rows();
    plan.kept_aside = parts_.train.kept_aside;
    if (!parts_.eval) return;
    plan.eval_digest = parts_.eval->digest;
    plan.eval_kept_aside = parts_.eval->kept_aside;
}

std::string TableTaskRows::columns_in_words() const {
    std::map<ColumnRole, std::size_t> roles;
    for (const auto& column : parts_.schema.columns) ++roles[column.role];
    auto words = counted(roles[ColumnRole::numeric], "number", "numbers") + ", " +
                 counted(roles[ColumnRole::categorical], "category", "categories");
    if (roles[ColumnRole::date] > 0) words += ", " + counted(roles[ColumnRole::date], "date", "dates");
    if (roles[ColumnRole::left_out] > 0) words += ", " + format_count(roles[ColumnRole::left_out]) + " left out";
    return words;
}

void TableTaskRows::summarise(PreparedJob& summary) const {
    summary.columns = columns_in_words();
    summary.examples = parts_.train.examples;
    summary.eval_examples = parts_.eval ? parts_.eval->examples : 0;
    for (const auto& column : parts_.schema.columns) {
        const auto name = "column `" + column.name + "`";
        if (column.role == ColumnRole::left_out) summary.warnings.push_back(name + " is left out: " + column.reason);
        if (!column.note.empty()) summary.warnings.push_back(name + ": " + column.note);
    }
}

Result<void> TableTaskRows::write(const fs::path& folder) const {
    ROOTSTOCK_CHECKED(write_file_atomically(folder / table_schema_file, table_schema_json(parts_.schema) + "\n"));
    const auto config = table_config(parts_.settings, parts_.schema, parts_.missing);
    ROOTSTOCK_CHECKED(write_file_atomically(config_file(folder), json::serialize(config) + "\n"));
    ROOTSTOCK_CHECKED(write_table_rows(rows_file(folder), parts_.train.table, parts_.split.train));
    ROOTSTOCK_CHECKED(write_table_rows(valid_file(folder), parts_.train.table, parts_.split.held_out));
    ROOTSTOCK_CHECKED(write_problems(problems_file(folder), parts_.train.problems));
    if (!parts_.eval) return {};
    ROOTSTOCK_CHECKED(write_table_rows(eval_file(folder), parts_.eval->table, all_rows(parts_.eval->table)));
    return write_problems(eval_problems_file(folder), parts_.eval->problems);
}

// ---- reading

Result<std::size_t> place_of_label(const TableRows& table, const std::string& label) {
    const auto found = std::ranges::find(table.columns, label);
    if (found != table.columns.end()) return static_cast<std::size_t>(found - table.columns.begin());
    std::string known;
    for (const auto& column : table.columns) known += (known.empty() ? "`" : ", `") + column + "`";
    const auto fault =
        label.empty() ? "--label is missing: which column is the answer?" : "there is no column `" + label + "`;";
    return fail(ErrorCode::invalid_argument, fault + " the rows have " + known, "label");
}

// Equal rows stand on one side; classes (few different labels) are held out in proportion.
Split split_table(const TableRows& table, std::size_t label, const TrainSettings& train) {
    constexpr std::size_t classes_max = 100;
    std::vector<TextExample> examples;
    std::map<std::string, std::int32_t> classes;
    for (const auto& record : table.records) {
        TextExample example;
        std::string own;
        for (std::size_t i = 0; i < record.values.size(); ++i)
            (i == label ? own : example.text) += record.values[i].value_or("\x01") + '\x02';
        example.label = classes.emplace(own, static_cast<std::int32_t>(classes.size())).first->second;
        examples.push_back(std::move(example));
    }
    if (classes.size() > classes_max)
        for (auto& example : examples) example.label = 0;
    return split_stratified(examples, train.validation, train.seed);
}

TableOptions options_of(const FinetuneOrder& order) {
    TableOptions options;
    options.label = order.label_column;
    options.label_kind = order.table.label_kind;
    options.scaling = order.table.scaling;
    for (const auto& column : order.table.drop) options.roles[column] = ColumnRole::left_out;
    for (const auto& column : order.table.categories) options.roles[column] = ColumnRole::categorical;
    return options;
}

Result<std::optional<TableFile>> read_eval(const FinetuneOrder& order, const TableSchema& schema) {
    if (order.eval.empty()) return std::nullopt;
    ROOTSTOCK_TRY(eval, read_file_of_rows(order.eval));
    ROOTSTOCK_CHECKED(eval.count(schema, all_rows(eval.table)));
    return std::optional(std::move(eval));
}

Result<std::unique_ptr<TaskRows>> read(const FinetuneOrder& order, const fs::path&, const Model&) {
    ROOTSTOCK_CHECKED(table_settings_from_json(to_json(order.table.settings)));
    ROOTSTOCK_TRY(train, read_file_of_rows(order.data));
    ROOTSTOCK_TRY(label, place_of_label(train.table, order.label_column));
    auto split = split_table(train.table, label, order.train);
    ROOTSTOCK_TRY(schema, learn_table_schema(train.table, split.train, options_of(order)));
    ROOTSTOCK_CHECKED(train.count(schema, split.train));
    const auto training = train.examples;
    const bool missing = train.missing;
    ROOTSTOCK_CHECKED(train.count(schema, split.held_out));
    ROOTSTOCK_TRY(eval, read_eval(order, schema));
    const auto measuring = eval ? eval->examples : train.examples - training;
    if (training > 0 && measuring > 0)
        return std::make_unique<TableTaskRows>(TableParts{std::move(train), std::move(split), std::move(schema),
                                                          missing, std::move(eval), order.table.settings});
    return fail(ErrorCode::invalid_argument,
                "too few rows can be used to learn from some and to measure with others; give more rows, --eval FILE, "
                "or a larger --validation share",
                "data");
}

}  // namespace

const TuningTask table_task{"table", read, examine_table, false};

}  // namespace rootstock
