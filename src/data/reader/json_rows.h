#pragma once
// JSON Lines: one object a line.

#include "data/reader/byte_source.h"
#include "data/reader/reader.h"

namespace rootstock {

struct JsonRow {
    std::string text;  // the line, without its end
    std::int64_t line = 0;
    std::string fault;
};

// Reads the next line into `row`; false at the end of the source. A line beyond `bytes_max` is read over.
bool read_json_line(ByteSource& source, std::size_t bytes_max, JsonRow& row);

// Puts the members of the object into `record.values`, in the order of `columns`, which grows by new members.
// The error's message is the reason why the row cannot be used.
Result<void> fill_from_json(std::string_view line, std::vector<std::string>& columns, Record& record);

}  // namespace rootstock
