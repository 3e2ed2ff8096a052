#pragma once
// Brings a file's schema to what this program knows.

#include <filesystem>
#include <vector>

#include "store/connection.h"

namespace rootstock::store {

// See Database::open. Several processes may do this at once: each migration is looked for again inside its own
// transaction. Throws Failure.
void migrate(Connection& connection, std::vector<Migration> migrations);

}  // namespace rootstock::store
