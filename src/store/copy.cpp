#include "store/copy.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "store/connect.h"
#include "store/dialect.h"
#include "store/migrate.h"

namespace rootstock::store {
namespace {

struct Column {
    std::string name;
    Kind kind = Kind::text;
};

struct Table {
    std::string name;
    std::vector<Column> columns;
    std::vector<std::string> key;

    std::vector<Kind> kinds() const {
        std::vector<Kind> kinds;
        for (const Column& column : columns) kinds.push_back(column.kind);
        return kinds;
    }
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string names_of(const Table& table) {
    std::vector<std::string> names;
    for (const Column& column : table.columns) names.push_back(column.name);
    return joined(names);
}

Kind kind_of_type(std::string_view type) {
    if (type == "BIGINT" || type == "bigint" || type == "INTEGER") return Kind::integer;
    return type == "DOUBLE PRECISION" || type == "double precision" ? Kind::real : Kind::text;
}

// In the order they were made: a table comes after those it refers to.
std::vector<std::string> table_names(Session& session) {
    const char* sql = session.is_postgres()
                          ? "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
                            "current_schema()::regnamespace AND relname NOT IN ('schema_migration', 'store_probe') "
                            "ORDER BY oid"
                          : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE "
                            "'~' AND name NOT IN ('schema_migration', 'store_probe') ORDER BY rowid";
    std::vector<std::string> names;
    session.for_each<std::string>(sql, [&](std::string name) { names.push_back(std::move(name)); });
    return names;
}

Table describe(Session& session, const std::string& name) {
    const char* columns = session.is_postgres()
                              ? "SELECT column_name::text, data_type::text FROM information_schema.columns WHERE "
                                "table_schema = current_schema() AND table_name = :name ORDER BY column_name COLLATE "
                                "\"C\""
                              : "SELECT name, type FROM pragma_table_info(:name) ORDER BY name";
    const char* key = session.is_postgres()
                          ? "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND "
                            "a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = "
                            "to_regclass(quote_ident(:name)) ORDER BY array_position(i.indkey::int[], a.attnum::int)"
                          : "SELECT name FROM pragma_table_info(:name) WHERE pk > 0 ORDER BY pk";
    Table table{name, {}, {}};
    session.for_each<std::string, std::string>(
        columns,
        [&](std::string column, const std::string& type) {
            table.columns.push_back({std::move(column), kind_of_type(type)});
        },
        name);
    session.for_each<std::string>(
        key, [&](std::string column) { table.key.push_back(std::move(column)); }, name);
    if (table.key.empty()) table.key.push_back(names_of(table));
    return table;
}

// Rows in the order of their key, which is the same on both sides: numbers, and texts by their bytes. PostgreSQL hands
// them over by the thousand, so that no table need fit in memory.
template <typename OnRow>
void read_rows(Connection& connection, const Table& table, OnRow on_row) {
    const std::string sql = "SELECT " + names_of(table) + " FROM " + table.name + " ORDER BY " + joined(table.key);
    const auto kinds = table.kinds();
    if (!connection.is_postgres()) {
        connection.rows(sql, {}, kinds, on_row);
        return;
    }
    const std::string cursor = "rows_of_" + table.name;
    connection.script("DECLARE " + cursor + " CURSOR FOR " + sql);
    for (bool more = true; more;) {
        more = false;
        connection.rows("FETCH 5000 FROM " + cursor, {}, kinds, [&](std::span<Cell> row) {
            more = true;
            on_row(row);
        });
    }
    connection.script("CLOSE " + cursor);
}

std::string text_of(const Cell& cell) {
    if (cell.null) return "-";
    if (cell.kind == Kind::integer) return std::to_string(cell.integer);
    if (cell.kind == Kind::text) return std::to_string(cell.text.size()) + ":" + cell.text;
    std::array<char, 32> digits{};
    const auto [end, fault] = std::to_chars(digits.data(), digits.data() + digits.size(), cell.real);
    return {digits.data(), end};
}

class Adder {
public:
    explicit Adder(std::string table) { total_.table = std::move(table); }
    void add(std::span<const Cell> row) {
        ++total_.rows;
        for (const Cell& cell : row) {
            if (cell.kind == Kind::integer && !cell.null) total_.sum += static_cast<std::uint64_t>(cell.integer);
            digest_.add(text_of(cell) + "|");
        }
        digest_.add("\n");
    }
    TableSum total() {
        total_.digest = digest_.hex();
        return total_;
    }

private:
    TableSum total_;
    Sha256 digest_;
};

TableSum sum_of(Connection& connection, const Table& table) {
    Adder adder(table.name);
    read_rows(connection, table, [&](std::span<Cell> row) { adder.add(row); });
    return adder.total();
}

TableSum copy_table(Connection& from, Connection& to, const Table& table) {
    std::string values;
    for (const Column& column : table.columns) values += (values.empty() ? ":" : ", :") + column.name;
    const std::string insert = "INSERT INTO " + table.name + " (" + names_of(table) + ") VALUES (" + values + ")";
    Adder adder(table.name);
    read_rows(from, table, [&](std::span<Cell> row) {
        adder.add(row);
        to.rows(insert, row, {}, {});
    });
    return adder.total();
}

// A store that was only just made holds what its migrations put there, and nobody has booked anything.
Result<void> refuse_used(Connection& to, const std::vector<std::string>& names) {
    std::vector<std::string> used;
    for (const char* table : {"ledger_transfer", "api_key", "reservation", "person"})
        if (std::ranges::find(names, table) != names.end() &&
            to.value<std::int64_t>("SELECT COUNT(*) FROM " + std::string(table)) > 0)
            used.emplace_back(table);
    if (used.empty()) return {};
    return fail(ErrorCode::conflict, "the store to copy to has been used (" + joined(used) + "): give an empty one",
                "to", "not_empty");
}

Result<std::vector<TableSum>> copy_rows(Connection& from, Connection& to, const std::vector<Migration>& migrations) {
    const auto names = table_names(from);
    ROOTSTOCK_CHECKED(refuse_used(to, names));
    const auto guards = triggers_of(migrations);
    for (const Trigger& guard : guards) to.script("DROP TRIGGER " + guard.name + ";");
    for (auto name = names.rbegin(); name != names.rend(); ++name) to.script("DELETE FROM " + *name);
    std::vector<TableSum> copied;
    for (const std::string& name : names) {
        const Table table = describe(from, name);
        copied.push_back(copy_table(from, to, table));
        if (sum_of(to, table) != copied.back())
            return fail(ErrorCode::corrupt, "the table " + name + " came over differently: nothing was copied", {},
                        "copy_differs");
    }
    for (const Trigger& guard : guards) to.script(guard.text + ";");
    return copied;
}

}  // namespace

Result<std::vector<TableSum>> copy_store(const Location& from, const Location& to,
                                         const std::vector<Migration>& migrations, Source source) {
    ROOTSTOCK_CHECKED(Database::open(from, migrations));  // brings both to the newest schema
    ROOTSTOCK_CHECKED(Database::open(to, migrations));
    try {
        const bool still = source == Source::still;
        const auto reading = connect(from, still ? Access::write : Access::read, {});
        const auto writing = connect(to, Access::write, {});
        reading->step(still ? Step::begin_write : Step::begin_read);
        writing->step(Step::begin_write);
        auto copied = copy_rows(*reading, *writing, migrations);
        writing->step(copied ? Step::commit : Step::rollback);
        reading->step(Step::rollback);
        return copied;
    } catch (const Failure& failure) {
        return fail(failure.error());
    }
}

}  // namespace rootstock::store
