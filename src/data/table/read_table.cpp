#include <numeric>

#include "data/table/table.h"

namespace rootstock {
namespace {

Result<void> check_size(const std::filesystem::path& path, const RecordReader& reader, std::size_t cells,
                        std::size_t cells_max) {
    if (reader.columns().size() > table_columns_max)
        return fail(ErrorCode::too_large, fmt::format("{} has {} columns; at most {} are taken", path.string(),
                                                      reader.columns().size(), table_columns_max));
    if (cells > cells_max)
        return fail(ErrorCode::too_large,
                    fmt::format("{} has more than {} values, which is the limit; use a sample of its rows",
                                path.string(), format_count(cells_max)));
    return {};
}

}  // namespace

Result<TableRows> read_table(const std::filesystem::path& path, const TableReadOptions& options) {
    ROOTSTOCK_TRY(reader, RecordReader::open(path, options.read));
    TableRows table;
    Record record;
    Problem problem;
    for (std::size_t cells = 0;; cells += record.values.size()) {
        ROOTSTOCK_TRY(reading, reader.next(record, problem));
        ROOTSTOCK_CHECKED(check_size(path, reader, cells, options.cells_max));
        if (reading == Reading::end) break;
        if (reading == Reading::record)
            table.records.push_back(record);
        else
            table.problems.push_back(problem);
    }
    table.columns = reader.columns();
    if (table.records.empty())
        return fail(ErrorCode::invalid_argument,
                    fmt::format("{} has no row that can be used{}", path.string(),
                                table.problems.empty() ? "" : "; the first fault: " + table.problems[0].reason));
    return table;
}

std::vector<std::size_t> all_rows(const TableRows& table) {
    std::vector<std::size_t> rows(table.records.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
}

}  // namespace rootstock
