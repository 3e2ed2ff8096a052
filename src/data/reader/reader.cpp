#include "data/reader/reader.h"

#include <algorithm>

#include "data/reader/byte_source.h"
#include "data/reader/json_rows.h"
#include "data/reader/table_shape.h"
#include "data/text/utf8.h"

namespace rootstock {

struct RecordReader::State {
    std::filesystem::path path;
    ReadOptions options;
    TableShape shape;
    ByteSource source;
    std::vector<std::string> columns;
    std::int64_t rows = 0;
    RawRow raw;         // used again for every row
    JsonRow json_line;  // likewise
};

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::vector<std::string> numbered_columns(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= count; ++i) names.push_back(std::to_string(i));
    return names;
}

// A column without a name is called by its number.
Result<std::vector<std::string>> named_columns(const RawRow& row, const std::filesystem::path& path) {
    if (!row.fault.empty())
        return fail(ErrorCode::invalid_argument, fmt::format("{}, line {}: the row of column names cannot be read: {}",
                                                             path.string(), row.line, row.fault));
    std::vector<std::string> names;
    for (const auto& cell : row.fields) {
        if (find_invalid_utf8(cell) != std::string_view::npos)
            return fail(ErrorCode::invalid_argument,
                        fmt::format("{}, line {}: the column names are not valid UTF-8; save the file as UTF-8",
                                    path.string(), row.line));
        std::string name(trim_white_space(cell));
        if (name.empty()) name = std::to_string(names.size() + 1);
        if (std::ranges::find(names, name) != names.end())
            return fail(ErrorCode::invalid_argument, fmt::format("{}, line {}: two columns are called '{}'; rename one",
                                                                 path.string(), row.line, name));
        names.push_back(std::move(name));
    }
    return names;
}

std::string not_utf8(std::string_view bytes, std::size_t at) {
    return fmt::format("byte {} (0x{:02X}) is not valid UTF-8; save the file as UTF-8", at + 1,
                       static_cast<unsigned char>(bytes[at]));
}

}  // namespace

RecordReader::RecordReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;
RecordReader::~RecordReader() = default;

Result<RecordReader> RecordReader::open(const std::filesystem::path& path, const ReadOptions& options) {
    ROOTSTOCK_TRY(source, ByteSource::open(path));
    if (source.ahead().starts_with(byte_order_mark)) source.skip(byte_order_mark.size());
    ROOTSTOCK_TRY(shape, detect_shape(path, source.ahead(), source.all_in_memory(), options));
    RecordReader reader(std::make_unique<State>(State{path, options, shape, std::move(source), {}, 0, {}, {}}));
    if (shape.format != TableFormat::jsonl) ROOTSTOCK_CHECKED(reader.read_columns());
    return reader;
}

Result<void> RecordReader::read_columns() {
    auto& s = *state_;
    if (!s.shape.header) {
        ByteSource sample{std::string(s.source.ahead())};
        while (read_row(sample, s.shape.dialect, s.options.row_bytes_max, s.raw) && s.raw.blank) continue;
        s.columns = numbered_columns(std::max<std::size_t>(s.raw.fields.size(), 1));
        return {};
    }
    while (read_row(s.source, s.shape.dialect, s.options.row_bytes_max, s.raw) && s.raw.blank) continue;
    ROOTSTOCK_TRY(names, named_columns(s.raw, s.path));
    s.columns = std::move(names);
    return {};
}

Result<Reading> RecordReader::next(Record& record, Problem& problem) {
    auto reading = state_->shape.format == TableFormat::jsonl ? next_json(record, problem) : next_row(record, problem);
    if (state_->source.failed())
        return fail(ErrorCode::io, fmt::format("reading {} failed after row {}", state_->path.string(), state_->rows));
    return reading;
}

Reading RecordReader::next_row(Record& record, Problem& problem) {
    auto& s = *state_;
    do {
        if (!read_row(s.source, s.shape.dialect, s.options.row_bytes_max, s.raw)) return Reading::end;
    } while (s.raw.blank);
    ++s.rows;
    problem = {s.rows, s.raw.line, {}, s.raw.fault};
    if (!s.raw.fault.empty()) return Reading::problem;
    for (std::size_t i = 0; i < s.raw.fields.size(); ++i) {
        auto at = find_invalid_utf8(s.raw.fields[i]);
        if (at == std::string_view::npos) continue;
        problem.field = i < s.columns.size() ? s.columns[i] : std::string();
        problem.reason = not_utf8(s.raw.fields[i], at);
        return Reading::problem;
    }
    if (s.raw.fields.size() != s.columns.size()) {
        problem.reason =
            fmt::format("the row has {} fields where {} are expected; put texts that hold the delimiter in quotes",
                        s.raw.fields.size(), s.columns.size());
        return Reading::problem;
    }
    record.row = s.rows;
    record.line = s.raw.line;
    record.values.resize(s.columns.size());
    for (std::size_t i = 0; i < s.columns.size(); ++i) record.values[i] = std::move(s.raw.fields[i]);
    return Reading::record;
}

Reading RecordReader::next_json(Record& record, Problem& problem) {
    auto& s = *state_;
    auto& line = s.json_line;
    do {
        if (!read_json_line(s.source, s.options.row_bytes_max, line)) return Reading::end;
    } while (line.fault.empty() && line.text.find_first_not_of(" \t") == std::string::npos);
    record.row = ++s.rows;
    record.line = line.line;
    problem = {s.rows, line.line, {}, line.fault};
    if (!line.fault.empty()) return Reading::problem;
    if (auto at = find_invalid_utf8(line.text); at != std::string_view::npos) {
        problem.reason = not_utf8(line.text, at);
        return Reading::problem;
    }
    if (auto filled = fill_from_json(line.text, s.columns, record); !filled) {
        problem.reason = filled.error().message;
        return Reading::problem;
    }
    return Reading::record;
}

const std::vector<std::string>& RecordReader::columns() const { return state_->columns; }
TableFormat RecordReader::format() const { return state_->shape.format; }
char RecordReader::delimiter() const {
    return state_->shape.format == TableFormat::jsonl ? '\0' : state_->shape.dialect.delimiter;
}
bool RecordReader::header() const { return state_->shape.header; }
std::int64_t RecordReader::rows() const { return state_->rows; }

}  // namespace rootstock
