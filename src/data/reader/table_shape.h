#pragma once
// What kind of table a file holds, seen from its name and its beginning.

#include <filesystem>
#include <string>
#include <vector>

#include "data/reader/delimited_rows.h"
#include "data/reader/reader.h"

namespace rootstock {

struct TableShape {
    TableFormat format = TableFormat::csv;
    Dialect dialect;
    bool header = true;
};

// `sample` is the beginning of the file, without a byte order mark; `whole` says that it is all of it.
// invalid_argument or unsupported: not a text table, with what to do.
Result<TableShape> detect_shape(const std::filesystem::path& path, std::string_view sample, bool whole,
                                const ReadOptions& options);

}  // namespace rootstock
