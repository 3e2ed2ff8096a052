#pragma once
// The adapter that a command means by a word: a name or name@version of the catalog (the newest version, candidates
// too), or the path of a PEFT folder.

#include <filesystem>
#include <string>

#include "base/base.h"
#include "store/store.h"

namespace rootstock {

struct MeantAdapter {
    std::filesystem::path folder;
    std::string base_digest;  // empty: a folder from outside
    std::string reference;    // "support@2"; of a folder its path
};

// `tenant`: the owner, by name or id; empty: the house. not_found.
Result<MeantAdapter> find_meant_adapter(store::Database& records, const Home& home, const std::string& name,
                                        const std::string& tenant);

}  // namespace rootstock
