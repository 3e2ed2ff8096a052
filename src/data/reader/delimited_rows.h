#pragma once
// Rows of delimited text (RFC 4180 where quotes count), byte by byte.

#include <cstdint>
#include <string>
#include <vector>

#include "data/reader/byte_source.h"

namespace rootstock {

struct Dialect {
    char delimiter = ',';
    bool quotes = true;            // "..." may hold delimiters, newlines and ""
    bool carriage_return = false;  // a lone CR ends a row (old Macintosh files, which have no LF at all)
};

struct RawRow {
    std::vector<std::string> fields;
    std::int64_t line = 0;    // where the row starts
    std::string fault;        // empty, or a sentence why the row cannot be used
    bool any_quoted = false;  // a field stood in quotes
    bool blank = false;       // an empty line
};

// Reads the next row into `row` (its memory is used again). False at the end of the source.
// A row beyond `bytes_max` comes back with a fault and without fields; the source stands behind it.
bool read_row(ByteSource& source, const Dialect& dialect, std::size_t bytes_max, RawRow& row);

}  // namespace rootstock
