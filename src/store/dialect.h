#pragma once
// Our SQL, which is SQLite's, in PostgreSQL's words (docs/decisions/0026). Only what differs is touched.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/cell.h"
#include "store/store.h"

namespace rootstock::store {

// The text of a migration. TEXT sorts by bytes (COLLATE "C"), INTEGER is BIGINT, BLOB is BYTEA; a trigger that forbids
// (see guard.h) gets a function, and one against DELETE forbids TRUNCATE too. A trigger of another shape asserts.
std::string postgres_script(std::string_view sql);

// One statement: every value is told its type, which PostgreSQL cannot always guess (":at IS NULL").
std::string postgres_statement(std::string_view sql, std::span<const Cell> args);

// A CREATE TRIGGER of a migration, taken apart.
struct Trigger {
    std::string name, event, table, condition, message;
    std::string text;      // as it stood, without the last semicolon: what SQLite keeps of it
    bool renamed = false;  // its table has another name since, so SQLite keeps another text
};
// The triggers that stand once all migrations have run.
std::vector<Trigger> triggers_of(const std::vector<Migration>& migrations);

}  // namespace rootstock::store
