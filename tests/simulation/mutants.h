#pragma once
// Planted faults: servers with one step spoiled, storages that spoil a statement. The simulation must catch each.

#include <functional>
#include <memory>
#include <vector>

#include "server.h"
#include "storage.h"

namespace rootstock::simulation {

struct Mutant {
    const char* name;
    std::function<std::unique_ptr<Server>()> server = [] { return std::make_unique<Server>(); };
    std::function<std::unique_ptr<Wire>()> wire = [] { return std::make_unique<Wire>(); };
};
const std::vector<Mutant>& mutants();

}  // namespace rootstock::simulation
