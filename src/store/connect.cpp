#include "store/connect.h"

#include "store/postgres.h"
#include "store/sqlite.h"

namespace rootstock::store {

std::unique_ptr<Connection> connect(const Location& where, Access access, const Options& options) {
    if (where.is_postgres()) return std::make_unique<PostgresConnection>(where, access, options);
    return std::make_unique<SqliteConnection>(where.file(), access, options);
}

}  // namespace rootstock::store
