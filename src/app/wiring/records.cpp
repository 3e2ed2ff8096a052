#include "app/wiring/records.h"

#include <iterator>

#include "catalog/catalog.h"
#include "ledger/ledger.h"
#include "outbox/outbox.h"
#include "tenant/tenant.h"

namespace rootstock {

Result<std::unique_ptr<store::Database>> open_records(const Home& home, store::Options options) {
    std::vector<store::Migration> all;
    for (auto migrations : {tenant::migrations(), outbox::migrations(), ledger::migrations(), catalog::migrations()})
        all.insert(all.end(), std::make_move_iterator(migrations.begin()), std::make_move_iterator(migrations.end()));
    return store::Database::open(home.database(), std::move(all), options);
}

}  // namespace rootstock
