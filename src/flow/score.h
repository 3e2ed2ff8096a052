#pragma once
// The journey from rows of a table to scores, with a table model that `finetune` left (task "table").

#include <filesystem>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/data.h"
#include "infer/infer.h"
#include "store/store.h"

namespace rootstock {

struct ScoreOrder {
    std::string model;           // name (the live version, or the newest where none is live), name@version, or a folder
    std::string tenant;          // owner, by name or id; empty: the house
    std::filesystem::path data;  // "-": standard input
};

struct ScoredTable {
    std::string model;                      // "churn@2", or the folder
    std::string label;                      // the column that was learned
    std::vector<std::string> classes;       // empty: the scores are numbers
    std::vector<std::int64_t> row_numbers;  // of the file
    TableScores scores;                     // one for each of them
    std::vector<Problem> problems;          // rows that could not be read, cells that counted as missing
};

// not_found, lists the known table models; errors of read_table, encode_table, TableModel::load.
Result<ScoredTable> score_table(store::Database& records, const Home& home, const ScoreOrder& order);

}  // namespace rootstock
