#pragma once
// Tables: rows of mixed columns as a table transformer takes them (FT-Transformer, Gorishniy et al., 2021).
//
//   file --read_table--> rows --learn_table_schema--> TableSchema     from the training rows alone, kept with the model
//   rows + TableSchema --encode_table--> numbers [rows, numeric], category ids [rows, categorical], what is missing
//
// A column becomes one of four things:
//   numeric      one number, scaled; missing: the value 0 and a mark of its own
//   categorical  one id: 0 missing, 1 not seen in training (or too seldom), 2.. the vocabulary, most frequent first
//   date         five numbers: the day, scaled; sine and cosine of weekday and of month; missing as for numbers
//   left out     constant, always missing, identifiers, free text: with the reason
//
// Values count without surrounding white space. A value is missing when it is absent or spelt, in any case, like one
// of default_missing_spellings(); the list is part of the schema. A category spelt like that ("none", "NA" for Namibia)
// needs a list of one's own.
//
// Dates are read as 2024-01-31, 2024/01/31, 31.01.2024, 31/01/2024 or 01/31/2024 (the column decides which), 31 Jan
// 2024, January 31, 2024 and 2024年1月31日, alone or followed by a time (T or space, HH:MM[:SS[.sss]], Z or an offset).
// The calendar day is taken as written: an offset does not move it.
//
// Learning and encoding depend on the rows alone: the same rows give the same schema and the same numbers.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "data/reader/reader.h"
#include "data/table/scaling.h"

namespace rootstock {

constexpr std::size_t table_columns_max = 4096;

// ---- rows

struct TableRows {
    std::vector<std::string> columns;
    std::vector<Record> records;    // values[i] belongs to columns[i]; a record may end early
    std::vector<Problem> problems;  // rows that could not be read
};

struct TableReadOptions {
    ReadOptions read = {};
    std::size_t cells_max = 100'000'000;  // held in memory at once
};

// Errors of RecordReader; invalid_argument: no rows; too_large: more columns or cells than the limits.
Result<TableRows> read_table(const std::filesystem::path& path, const TableReadOptions& options = {});

// ---- schema

enum class ColumnRole { numeric, categorical, date, left_out };
enum class DateOrder { day_first, month_first };  // of 01/02/2024

const char* name(ColumnRole role);

struct TableColumn {
    std::string name;
    ColumnRole role = ColumnRole::left_out;
    std::string reason;                        // why this role: "all 1,000 values are numbers"
    std::string note;                          // what people should look at; often empty
    NumberScaling scaling = {};                // numeric; date: of the day
    DateOrder order = DateOrder::day_first;    // date
    std::vector<std::string> categories = {};  // categorical: the id of categories[i] is i + 2
    bool operator==(const TableColumn&) const = default;
};

enum class LabelKind { none, classes, number };

struct TableLabel {
    std::string name;
    LabelKind kind = LabelKind::none;
    std::vector<std::string> classes = {};  // sorted by bytes
    NumberScaling scaling = {};             // of a number: standard
    bool operator==(const TableLabel&) const = default;
};

struct TableSchema {
    static constexpr std::int32_t missing_id = 0, unknown_id = 1, first_category_id = 2;

    std::vector<TableColumn> columns;  // all but the label, in the order of the file
    TableLabel label;
    std::vector<std::string> missing;  // spellings, lower case
    bool operator==(const TableSchema&) const = default;

    // What the model is built from.
    std::vector<std::string> numeric_names() const;      // of each packed number: "age", "due: weekday, sine"
    std::vector<std::string> categorical_names() const;  // of each packed category
    std::vector<std::int32_t> category_counts() const;   // ids of each packed category, missing and unknown included
    // For explanations: the value behind an id of the packed category `place`, "(missing)" or "(not seen in training)".
    std::string category_name(std::size_t place, std::int32_t id) const;
};

struct TableOptions {
    std::string label = {};                  // empty: no label
    LabelKind label_kind = LabelKind::none;  // none: told from the values
    NumberScaling::Kind scaling = NumberScaling::Kind::quantile;
    std::map<std::string, ColumnRole> roles = {};  // for columns whose role people know better
    std::int64_t category_rows_min = 2;            // a rarer value counts as not seen
    std::int32_t categories_max = 10'000;          // of one column; the most frequent stay
    std::vector<std::string> missing = {};         // empty: default_missing_spellings()
};

const std::vector<std::string>& default_missing_spellings();

// Learns from the rows that `training` names and from no other (Split::train is such a list). invalid_argument: no
// rows, an unknown column in the options, a role that the values do not allow, no usable column, one class only.
Result<TableSchema> learn_table_schema(const TableRows& table, std::span<const std::size_t> training,
                                       const TableOptions& options = {});

// JSON; comes back equal to the last bit (numbers that must stand as text). The parser refuses what contradicts
// itself, with the field's name.
std::string table_schema_json(const TableSchema& schema);
Result<TableSchema> parse_table_schema(std::string_view text, std::string_view what);

// The schema in its file, columns.json in a model's folder. not_found; too_large; what parse_table_schema says.
inline constexpr const char* table_schema_file = "columns.json";
Result<TableSchema> read_table_schema(const std::filesystem::path& folder);

// Rows on their way to the learner (docs/formats/job-folder.md): one JSON array or object a line, {"columns": [...]}
// first, then {"row": 17, "line": 18, "values": ["12", null, ...]}. The reader refuses anything else, with the line.
Result<void> write_table_rows(const std::filesystem::path& path, const TableRows& table,
                              std::span<const std::size_t> chosen);
Result<TableRows> read_table_rows(const std::filesystem::path& path);

// ---- rows for the model

enum class LabelUse { ignore, require };

// What a model reads of rows.
struct ColumnBatch {
    std::int64_t rows = 0;
    std::vector<float> numeric;                 // [rows, numeric]; 0 where missing
    std::vector<std::uint8_t> numeric_missing;  // [rows, numeric]; 1 where missing
    std::vector<std::int32_t> categories;       // [rows, categorical]
};

struct EncodedTable : ColumnBatch {
    std::vector<std::int32_t> classes;      // [rows], when the label is a class and required
    std::vector<float> targets;             // [rows], scaled, when the label is a number and required
    std::vector<std::int64_t> row_numbers;  // [rows], data rows of the file
    std::vector<Problem> problems;  // cells that fit their column so little that they count as missing; rows that were
                                    // kept aside because of their label
};

// invalid_argument: a column that the schema needs and the rows lack, or one that it does not know; each is named.
// Columns that were left out may be there or not.
Result<EncodedTable> encode_table(const TableSchema& schema, const TableRows& table, std::span<const std::size_t> rows,
                                  LabelUse use);

std::vector<std::size_t> all_rows(const TableRows& table);

// Appends row `row` of one batch to another of the same columns.
void append_row(const ColumnBatch& from, std::size_t row, ColumnBatch& to);

// The rows that `chosen` names, in its order.
ColumnBatch pick_rows(const ColumnBatch& all, std::span<const std::size_t> chosen);

}  // namespace rootstock
