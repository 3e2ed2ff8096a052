#pragma once
// The journey from a candidate to the live version: it must still say on this machine what it said when it was made,
// then the pointer moves. Rollback moves it back; nothing is ever overwritten.

#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/catalog.h"
#include "store/store.h"

namespace rootstock {

struct PromoteOrder {
    std::string reference;  // name (the newest version) or name@version
    std::string tenant;     // owner, by name or id; empty: the house
    bool rollback = false;  // back to the version that was live before
};

struct Promoted {
    catalog::Adapter live;
    std::string before;     // "support@1", or empty
    std::string checked;    // what the self-tests said; empty when nothing was moved
    bool was_live = false;  // it was live already: nothing changed
};

// not_found: no such adapter or version (lists the known ones); conflict: its self-tests fail here, or nothing to go
// back to; io: its folder or its base model's is gone.
Result<Promoted> promote_adapter(store::Database& records, const Home& home, Clock& clock, const PromoteOrder& order);

struct ListedAdapter {
    catalog::Adapter adapter;
    std::string owner;  // tenant's name; empty: the house
    std::string base;   // name of the base model
};

// Of one tenant by name or id, or of everybody (empty).
Result<std::vector<ListedAdapter>> list_all_adapters(store::Database& records, const std::string& tenant);

}  // namespace rootstock
