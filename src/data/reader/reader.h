#pragma once
// Records out of text files, one at a time, in constant memory.
//
//   csv    RFC 4180: fields in quotes may hold the delimiter, newlines and doubled quotes; LF, CRLF; BOM
//   tsv    tab between fields; quotes are text, unless the beginning of the file shows that they quote
//   jsonl  one JSON object a line; its members are the columns
//
// A faulty row never ends the reading: it comes back as a Problem with its place and reason, and the next row
// follows. Only a file that cannot be read at all is an Error.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

// A row that cannot be used, for people: "row 17 (line 19), category: the label is empty".
struct Problem {
    std::int64_t row = 0;   // 1-based number of the data row (the header is no data row; blank lines do not count)
    std::int64_t line = 0;  // 1-based line of the file on which the row starts
    std::string field;      // the column, when one is at fault
    std::string reason;     // a sentence
    bool operator==(const Problem&) const = default;
};

enum class TableFormat { detect, csv, tsv, jsonl };  // detect: by extension, then by content

struct ReadOptions {
    TableFormat format = TableFormat::detect;
    char delimiter = 0;                                // 0: detected among , ; tab (tsv: always tab)
    std::optional<bool> header = {};                   // first row holds the column names; nothing: detected.
                                                       // Without a header the columns are called "1", "2", ...
    std::size_t row_bytes_max = std::size_t{1} << 20;  // a larger row is a Problem
};

// values[i] belongs to columns()[i]. A value is absent when the object of a JSONL row has no such member (or
// null); JSON strings come unescaped, any other JSON value as its JSON text.
struct Record {
    std::int64_t row = 0;
    std::int64_t line = 0;
    std::vector<std::optional<std::string>> values;
};

enum class Reading { record, problem, end };

class RecordReader {
public:
    // not_found, io; invalid_argument: empty file, UTF-16 or other binary content, a header that names a column
    // twice (a column without a name is called by its number); unsupported: one big JSON array.
    static Result<RecordReader> open(const std::filesystem::path& path, const ReadOptions& options = {});
    RecordReader(RecordReader&&) noexcept;
    RecordReader& operator=(RecordReader&&) noexcept;
    ~RecordReader();

    // Fills `record` or `problem` and says which. Error only when the system stops delivering bytes (io).
    Result<Reading> next(Record& record, Problem& problem);

    // The columns known so far. CSV and TSV: fixed after open. JSONL: grows when a row brings a new member.
    const std::vector<std::string>& columns() const;

    TableFormat format() const;  // what was chosen
    char delimiter() const;      // 0 for jsonl
    bool header() const;         // whether the first row was taken for column names
    std::int64_t rows() const;   // data rows met so far, problems included

private:
    struct State;
    explicit RecordReader(std::unique_ptr<State> state);
    Result<void> read_columns();
    Reading next_row(Record& record, Problem& problem);
    Reading next_json(Record& record, Problem& problem);
    std::unique_ptr<State> state_;
};

// Position of the first byte that is not valid UTF-8 (RFC 3629), or npos.
std::size_t find_invalid_utf8(std::string_view bytes);

}  // namespace rootstock
