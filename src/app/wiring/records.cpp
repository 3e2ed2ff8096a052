#include "app/wiring/records.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "catalog/catalog.h"
#include "ledger/ledger.h"
#include "outbox/outbox.h"
#include "tenant/tenant.h"

namespace rootstock {

std::vector<store::Migration> all_migrations() {
    std::vector<store::Migration> all;
    for (auto migrations : {tenant::migrations(), outbox::migrations(), ledger::migrations(), catalog::migrations()})
        all.insert(all.end(), std::make_move_iterator(migrations.begin()), std::make_move_iterator(migrations.end()));
    return all;
}

Result<store::Location> place_of_records(const Home& home) {
    std::string address;
    if (const char* wish = std::getenv("ROOTSTOCK_STORE"); wish != nullptr) address = wish;
    if (address.empty())
        if (std::ifstream file(home.root / "store"); file) std::getline(file, address);
    if (address.empty()) return store::Location(home.database());
    return store::Location::parse(address);
}

Result<std::unique_ptr<store::Database>> open_records(const Home& home, store::Options options) {
    ROOTSTOCK_TRY(place, place_of_records(home));
    return store::Database::open(place, all_migrations(), options);
}

}  // namespace rootstock
