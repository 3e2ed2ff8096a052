#pragma once
// A whole store, moved from one place to another: SQLite to PostgreSQL and back, a backup and its return. One way for
// all.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/location.h"

namespace rootstock::store {

struct Migration;

// What one table holds: its rows, the sum of all its whole numbers (money among them, modulo 2^64) and a digest over
// every value, so that two stores can be compared.
struct TableSum {
    std::string table;
    std::int64_t rows = 0;
    std::uint64_t sum = 0;
    std::string digest;

    bool operator==(const TableSum&) const = default;
};

enum class Source {
    still,  // no other program writes to it until the copy is done: for a move; their changes wait or are refused
    live    // a snapshot of it while others write: for a backup
};

// Opens both with these migrations, empties `to` of the rows its migrations made, copies every row and compares both
// sides, all in one transaction of `to`: it is either whole or as it was. Returns what was copied, table by table.
// conflict, reason "not_empty", when `to` has been used; corrupt when a table came over differently.
Result<std::vector<TableSum>> copy_store(const Location& from, const Location& to,
                                         const std::vector<Migration>& migrations, Source source);

}  // namespace rootstock::store
