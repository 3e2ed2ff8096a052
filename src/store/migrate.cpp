#include "store/migrate.h"

#include <algorithm>
#include <map>

namespace rootstock::store {
namespace {

constexpr const char* bookkeeping =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    " number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_at BIGINT NOT NULL);";

// Every table with a tenant_id gets its wall: where a transaction named its tenant (Session::confine), only that one's
// rows are there. FORCE, because the tables' owner is who we are.
constexpr const char* tenant_walls = R"sql(
DO $walls$ DECLARE found record; BEGIN
    FOR found IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT c.relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', found.relname);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', found.relname);
        EXECUTE format($policy$CREATE POLICY tenant_wall ON %I USING ((SELECT
            coalesce(current_setting('rootstock.tenant', true), '')) IN ('', tenant_id))$policy$, found.relname);
    END LOOP;
END $walls$
)sql";

void order(std::vector<Migration>& migrations) {
    std::ranges::sort(migrations, {}, &Migration::number);
    const auto twin = std::ranges::adjacent_find(migrations, {}, &Migration::number);
    ROOTSTOCK_CHECK(twin == migrations.end(), "two migrations have the same number");
}

// Runs `change` in a transaction that begins as a writer, so that no other process can come between.
template <typename Change>
void in_transaction(Connection& connection, Change change) {
    connection.step(Step::begin_write);
    try {
        change();
        connection.step(Step::commit);
    } catch (...) {
        connection.abandon_transaction();
        throw;
    }
}

std::map<std::int64_t, std::string> applied(Session& session) {
    std::map<std::int64_t, std::string> digests;
    for (auto& [number, digest] :
         session.query<std::int64_t, std::string>("SELECT number, digest FROM schema_migration"))
        digests.emplace(number, std::move(digest));
    return digests;
}

void refuse_unknown(const std::map<std::int64_t, std::string>& applied, const std::vector<Migration>& migrations) {
    for (const auto& [number, digest] : applied) {
        const auto known = std::ranges::find(migrations, number, &Migration::number);
        if (known == migrations.end())
            throw Failure({ErrorCode::unsupported,
                           "the records were written by a newer program (schema step " + std::to_string(number) +
                               " is unknown here): use that version of rootstock, or a newer one",
                           {},
                           "newer_schema"});
        if (sha256_hex(known->sql) != digest)
            throw Failure({ErrorCode::corrupt,
                           "schema step " + std::to_string(number) + " (" + known->name +
                               ") is not the one the records were made with: this program was altered",
                           {},
                           "altered_schema"});
    }
}

void apply(Connection& connection, const Migration& migration) {
    in_transaction(connection, [&] {
        Session& session = connection;
        if (applied(session).contains(migration.number)) return;
        connection.script(migration.sql);
        session.execute(
            "INSERT INTO schema_migration (number, name, digest, applied_at) VALUES (:number, :name, :digest, :at)",
            migration.number, migration.name, sha256_hex(migration.sql), system_clock().now());
    });
}

}  // namespace

void migrate(Connection& connection, std::vector<Migration> migrations) {
    order(migrations);
    in_transaction(connection, [&] { connection.script(bookkeeping); });
    const auto done = applied(connection);
    refuse_unknown(done, migrations);
    bool changed = false;
    for (const Migration& migration : migrations) {
        if (done.contains(migration.number)) continue;
        apply(connection, migration);
        changed = true;
    }
    if (changed && connection.is_postgres()) in_transaction(connection, [&] { connection.script(tenant_walls); });
}

}  // namespace rootstock::store
