#pragma once
// The records of a home folder, with the tables of every folder that keeps some.

#include <memory>

#include "base/base.h"
#include "store/store.h"

namespace rootstock {

std::vector<store::Migration> all_migrations();

// $ROOTSTOCK_STORE (which --store sets), else the one line of the home's file "store", which is for its owner's eyes only
// as it may hold a password; neither: home.database().
Result<store::Location> place_of_records(const Home& home);

// Opens or makes the records and brings them to the newest schema. Errors as store::Database::open.
Result<std::unique_ptr<store::Database>> open_records(const Home& home, store::Options options = {});

}  // namespace rootstock
