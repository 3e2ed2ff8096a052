// Rows of a table in a file of our own: they come back as they were, with their places in the file they came from.

#include "data/reader/byte_source.h"
#include "data/reader/json_rows.h"
#include "data/table/table.h"

namespace rootstock {
namespace {

constexpr std::size_t line_bytes_max = std::size_t{8} << 20;  // of the largest row, escaped
constexpr std::size_t cells_max = 100'000'000;

json::value cell_json(const Record& record, std::size_t column) {
    if (column >= record.values.size() || !record.values[column]) return nullptr;
    return json::string(*record.values[column]);
}

std::unexpected<Error> corrupt(const std::string& where, std::string_view sentence) {
    return fail(ErrorCode::corrupt, fmt::format("{}: {}", where, sentence));
}

Result<json::value> parse_line(const JsonRow& line, const std::string& where) {
    if (!line.fault.empty()) return corrupt(where, line.fault);
    auto value = parse_json(line.text, where);
    if (!value) return fail(ErrorCode::corrupt, value.error().message);
    return value;
}

Result<std::vector<std::string>> read_columns(const json::value& value, const std::string& where) {
    JsonFields fields(value, where);
    fields.required_value("columns");
    auto columns = fields.optional_strings("columns");
    if (columns.empty() || columns.size() > table_columns_max)
        fields.fault("columns", fmt::format("must name 1 to {} columns", table_columns_max));
    if (auto finished = fields.finish(); !finished) return fail(ErrorCode::corrupt, finished.error().message);
    return columns;
}

Result<Record> read_record(const json::value& value, std::size_t columns, const std::string& where) {
    JsonFields fields(value, where);
    Record record;
    record.row = fields.required_int("row", 1, INT64_MAX);
    record.line = fields.required_int("line", 1, INT64_MAX);
    const auto* values = fields.required_value("values");
    if (auto finished = fields.finish(); !finished) return fail(ErrorCode::corrupt, finished.error().message);
    if (!values->is_array() || values->as_array().size() != columns)
        return corrupt(where, fmt::format("'values' must be a list of {} texts", columns));
    for (const auto& cell : values->as_array()) {
        if (!cell.is_null() && !cell.is_string()) return corrupt(where, "'values' must hold texts and null only");
        record.values.push_back(cell.is_null() ? std::nullopt : std::optional(std::string(cell.as_string())));
    }
    return record;
}

}  // namespace

Result<void> write_table_rows(const std::filesystem::path& path, const TableRows& table,
                              std::span<const std::size_t> chosen) {
    json::array columns;
    for (const auto& column : table.columns) columns.emplace_back(json::string(column));
    std::string lines = json::serialize(json::object{{"columns", std::move(columns)}}) + "\n";
    for (auto row : chosen) {
        ROOTSTOCK_CHECK(row < table.records.size(), "a row that is not there");
        const auto& record = table.records[row];
        json::array values;
        for (std::size_t i = 0; i < table.columns.size(); ++i) values.emplace_back(cell_json(record, i));
        lines +=
            json::serialize(json::object{{"row", record.row}, {"line", record.line}, {"values", std::move(values)}}) +
            "\n";
    }
    return write_file_atomically(path, lines);
}

Result<TableRows> read_table_rows(const std::filesystem::path& path) {
    ROOTSTOCK_TRY(source, ByteSource::open(path));
    TableRows table;
    for (JsonRow line; read_json_line(source, line_bytes_max, line);) {
        auto where = fmt::format("{}, line {}", path.string(), line.line);
        ROOTSTOCK_TRY(value, parse_line(line, where));
        if (table.columns.empty()) {
            ROOTSTOCK_TRY(columns, read_columns(value, where));
            table.columns = std::move(columns);
            continue;
        }
        ROOTSTOCK_TRY(record, read_record(value, table.columns.size(), where));
        table.records.push_back(std::move(record));
        if (table.records.size() * table.columns.size() > cells_max)
            return fail(ErrorCode::too_large, fmt::format("{} has too many values", path.string()));
    }
    if (source.failed()) return fail(ErrorCode::io, "reading " + path.string() + " failed");
    if (table.columns.empty()) return fail(ErrorCode::corrupt, path.string() + " names no columns");
    return table;
}

}  // namespace rootstock
