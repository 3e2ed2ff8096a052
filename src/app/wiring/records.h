#pragma once
// The records of a home folder, with the tables of every folder that keeps some.

#include <memory>

#include "base/base.h"
#include "store/store.h"

namespace rootstock {

// Opens or makes home.database() and brings it to the newest schema. Errors as store::Database::open.
Result<std::unique_ptr<store::Database>> open_records(const Home& home, store::Options options = {});

}  // namespace rootstock
