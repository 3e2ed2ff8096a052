#include "data/reader/table_shape.h"

#include <algorithm>
#include <map>

#include "data/reader/column_names.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

using Rows = std::vector<RawRow>;

constexpr std::size_t rows_looked_at = 200;

// The first complete rows of the sample in this dialect, blank lines left out.
Rows sample_rows(std::string_view sample, bool whole, const Dialect& dialect, std::size_t bytes_max) {
    Rows rows;
    ByteSource source{std::string(sample)};
    for (RawRow row; rows.size() < rows_looked_at && read_row(source, dialect, bytes_max, row);)
        if (!row.blank) rows.push_back(row);
    bool cut = !whole && source.peek() == ByteSource::end;
    if (cut && rows.size() > 1) rows.pop_back();
    return rows;
}

struct Fit {
    double share = 0;        // rows with the most frequent number of fields, and without fault
    std::size_t fields = 0;  // that number
    bool any_quoted = false;
};

Fit fit_of(const Rows& rows) {
    std::map<std::size_t, std::size_t> counts;
    Fit fit;
    for (const auto& row : rows) {
        if (row.fault.empty()) ++counts[row.fields.size()];
        fit.any_quoted |= row.any_quoted;
    }
    std::size_t best = 0;
    for (auto [fields, count] : counts)
        if (count >= best) best = count, fit.fields = fields;
    fit.share = rows.empty() ? 0 : static_cast<double>(best) / static_cast<double>(rows.size());
    return fit;
}

// Comma, semicolon or tab: the one under which most rows have the same number of fields, at least two.
char detect_delimiter(std::string_view sample, bool whole, Dialect dialect, std::size_t bytes_max) {
    char chosen = ',';
    Fit best;
    for (char candidate : {',', ';', '\t'}) {
        dialect.delimiter = candidate;
        for (bool quotes : {true, false}) {
            if (!quotes && candidate != '\t') continue;
            dialect.quotes = quotes;
            auto fit = fit_of(sample_rows(sample, whole, dialect, bytes_max));
            if (fit.fields < 2 || fit.share <= best.share) continue;
            best = fit;
            chosen = candidate;
        }
    }
    return chosen;
}

// Tab-separated text has no quotes by its definition (IANA text/tab-separated-values), but spreadsheets write them.
// They count when the sample has some and every row is sound with them.
bool detect_quotes(std::string_view sample, bool whole, Dialect dialect, std::size_t bytes_max) {
    if (dialect.delimiter != '\t') return true;
    dialect.quotes = true;
    auto fit = fit_of(sample_rows(sample, whole, dialect, bytes_max));
    return fit.any_quoted && fit.share == 1;
}

bool looks_like_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789.+-eE") == std::string_view::npos &&
           text.find_first_of("0123456789") != std::string_view::npos;
}

bool looks_like_prose(std::string_view text) {
    constexpr std::size_t name_characters_max = 60, name_spaces_max = 6;
    return text.size() > name_characters_max ||
           static_cast<std::size_t>(std::ranges::count(text, ' ')) > name_spaces_max;
}

bool comes_again(const Rows& rows, std::size_t column) {
    const auto& value = rows[0].fields[column];
    auto same = [&](const RawRow& row) { return column < row.fields.size() && row.fields[column] == value; };
    return !value.empty() && std::any_of(rows.begin() + 1, rows.end(), same);
}

// Names people give to columns speak for a header; numbers, prose and values that come again below speak against it.
bool detect_header(const Rows& rows) {
    if (rows.empty() || rows[0].fields.empty()) return true;
    const auto& first = rows[0].fields;
    auto names_text = [](const std::string& cell) { return text_name_rank(cell).has_value(); };
    auto names_label = [](const std::string& cell) { return label_name_rank(cell).has_value(); };
    bool any_text = std::ranges::any_of(first, names_text), any_label = std::ranges::any_of(first, names_label);
    if (any_text && any_label) return true;
    if (std::ranges::any_of(first, looks_like_prose)) return false;
    for (std::size_t column = 0; column < first.size(); ++column)
        if (comes_again(rows, column)) return false;
    if (any_text || any_label || std::ranges::any_of(first, is_other_name)) return true;
    return std::ranges::none_of(first, looks_like_number);
}

TableFormat format_of_name(const std::filesystem::path& path) {
    auto extension = lower_ascii(path.extension().string());
    if (extension == ".csv") return TableFormat::csv;
    if (extension == ".tsv" || extension == ".tab") return TableFormat::tsv;
    if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json") return TableFormat::jsonl;
    return TableFormat::detect;
}

std::unexpected<Error> not_a_table(const std::filesystem::path& path, const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, path.string() + " " + sentence);
}

Result<void> check_is_text(const std::filesystem::path& path, std::string_view sample) {
    if (trim_white_space(sample).empty())
        return not_a_table(path, "is empty; it needs a row of column names and data rows");
    if (sample.starts_with("PK\x03\x04"))
        return not_a_table(path, "is a zip file or an Excel workbook; export it as CSV (UTF-8)");
    if (sample.starts_with("\x1F\x8B")) return not_a_table(path, "is compressed; unpack it first");
    if (sample.starts_with("\xFF\xFE") || sample.starts_with("\xFE\xFF"))
        return not_a_table(path, "is encoded in UTF-16; save it as UTF-8");
    if (sample.find('\0') != std::string_view::npos)
        return not_a_table(path, "holds zero bytes, so it is not a text file; export it as CSV (UTF-8)");
    return {};
}

Result<TableFormat> choose_format(const std::filesystem::path& path, std::string_view sample, TableFormat wanted) {
    auto format = wanted != TableFormat::detect ? wanted : format_of_name(path);
    auto first = sample[sample.find_first_not_of(" \t\r\n")];
    if (format == TableFormat::jsonl && first == '[')
        return fail(ErrorCode::unsupported,
                    path.string() + " is one JSON array; write one object a line instead (JSON Lines)");
    if (format != TableFormat::detect) return format;
    return first == '{' ? TableFormat::jsonl : TableFormat::detect;
}

}  // namespace

Result<TableShape> detect_shape(const std::filesystem::path& path, std::string_view sample, bool whole,
                                const ReadOptions& options) {
    ROOTSTOCK_CHECKED(check_is_text(path, sample));
    ROOTSTOCK_TRY(format, choose_format(path, sample, options.format));
    TableShape shape{format, {}, false};
    if (format == TableFormat::jsonl) return shape;
    auto& dialect = shape.dialect;
    dialect.carriage_return =
        sample.find('\n') == std::string_view::npos && sample.find('\r') != std::string_view::npos;
    dialect.delimiter = options.delimiter            ? options.delimiter
                        : format == TableFormat::tsv ? '\t'
                                                     : detect_delimiter(sample, whole, dialect, options.row_bytes_max);
    dialect.quotes = detect_quotes(sample, whole, dialect, options.row_bytes_max);
    if (format == TableFormat::detect) shape.format = dialect.delimiter == '\t' ? TableFormat::tsv : TableFormat::csv;
    auto rows = sample_rows(sample, whole, dialect, options.row_bytes_max);
    shape.header = options.header.value_or(detect_header(rows));
    return shape;
}

}  // namespace rootstock
