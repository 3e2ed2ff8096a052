#pragma once
// Opens a connection to records of either kind.

#include <memory>

#include "store/connection.h"

namespace rootstock::store {

// Throws Failure.
std::unique_ptr<Connection> connect(const Location& where, Access access, const Options& options);

}  // namespace rootstock::store
