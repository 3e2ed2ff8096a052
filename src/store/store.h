#pragma once
// store: rows, kept safely (and, in blob/, customers' bytes). The SQL seam over SQLite and PostgreSQL (through SOCI).
// It knows no domain words: other folders hand in their migrations and their SQL, once, in SQLite's words; what
// PostgreSQL says otherwise is translated (docs/decisions/0026).
//
// One thread writes. Callers queue works; the writer runs everything that waits inside one
// BEGIN IMMEDIATE ... COMMIT, a SAVEPOINT around each work so that a failing one rolls back alone, and calls each
// `done` after the commit is on the disk (WAL, synchronous=FULL). So many callers share one fsync (group commit),
// and whoever is told "done" has it for good. Readers use connections of their own and see a snapshot.
// On PostgreSQL a group begins by taking the store's one lock, so there too one writer at a time, of all programs on
// the store, sees everything that was committed before it: no work needs to think of another.
//
// Failures. Inside a work SQL faults travel as exceptions (Failure) up to the Database, which turns them into
// Errors: unavailable (locked, disk full, read-only, I/O, no server), corrupt, or internal (a rule of the schema was
// broken). Expected outcomes (no such row, name taken) are the work's own Result; they undo the work too. When the disk
// could not be written the store tries again with the next work, so it recovers by itself; only after a failed fsync it
// stays shut until the program starts anew, since the kernel may have dropped the pages (Rebello et al., "Can
// applications recover from fsync failures?", 2020). A PostgreSQL server that went away is sought again with the next
// work; was a commit under way, the server is asked what became of it.
//
// SQL style: named parameters (:tenant), each name once in a statement, bound in order; BIGINT for integers, money
// (micro-units) and instants (microseconds UTC), DOUBLE PRECISION for measurements, TEXT for the rest.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/base.h"
#include "store/blob/blobs.h"
#include "store/cell.h"
#include "store/copy.h"
#include "store/guard.h"
#include "store/location.h"

namespace rootstock::store {

// A SQL fault on its way to the Database's door.
class Failure : public std::exception {
public:
    explicit Failure(Error error) : error_(std::move(error)) {}
    const char* what() const noexcept override { return error_.message.c_str(); }
    const Error& error() const { return error_; }

private:
    Error error_;
};

// One connection inside one transaction. Statements are prepared once and kept. For one thread at a time.
//
//   session.execute("UPDATE thing SET size = :size WHERE id = :id", 3, id);
//   auto row = session.first<std::string, std::int64_t>("SELECT name, size FROM thing WHERE id = :id", id);
//   if (row) auto& [name, size] = *row;
//
// Values and columns may be int, std::int64_t, bool, double, std::string, Timestamp, Micros, any Id, or
// std::optional of them (NULL). A NULL in a column that is not optional is our own fault and asserts.
class Session {
public:
    virtual ~Session() = default;

    // Runs a statement that changes rows; returns how many it changed.
    template <typename... Args>
    std::int64_t execute(std::string_view sql, const Args&... args) {
        const std::vector<Cell> cells{to_cell(args)...};
        return run(sql, cells, {}, {});
    }

    // All rows of a SELECT, or of a change with RETURNING.
    template <typename... Columns, typename... Args>
    std::vector<std::tuple<Columns...>> query(std::string_view sql, const Args&... args) {
        std::vector<std::tuple<Columns...>> rows;
        for_each<Columns...>(
            sql, [&](Columns... columns) { rows.emplace_back(std::move(columns)...); }, args...);
        return rows;
    }

    // Calls `on_row(columns...)` for each row as it comes, for results too many to hold. It must run no statement.
    template <typename... Columns, typename F, typename... Args>
    void for_each(std::string_view sql, F on_row, const Args&... args) {
        const std::vector<Cell> cells{to_cell(args)...};
        static const std::vector<Kind> kinds{kind_of<Columns>()...};
        run(sql, cells, kinds,
            [&](std::span<Cell> row) { hand_over<Columns...>(on_row, row, std::index_sequence_for<Columns...>()); });
    }

    // The first row, if there is one.
    template <typename... Columns, typename... Args>
    std::optional<std::tuple<Columns...>> first(std::string_view sql, const Args&... args) {
        auto rows = query<Columns...>(sql, args...);
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    }

    // The only column of the only row: for COUNT, SUM and the like.
    template <typename Column, typename... Args>
    Column value(std::string_view sql, const Args&... args) {
        auto rows = query<Column>(sql, args...);
        ROOTSTOCK_CHECK(rows.size() == 1, "a statement for one value gave none or several rows");
        return std::move(std::get<0>(rows.front()));
    }

    // From here to the end of the transaction (of the work, where several share one) only rows of this tenant are seen
    // and written, whatever a statement forgets to say: row-level security of PostgreSQL, a second wall behind every
    // WHERE tenant_id. SQLite has no such wall, and this does nothing.
    virtual void confine(std::string_view tenant) = 0;

    // For the few statements about the database itself; all others are the same on both.
    virtual bool is_postgres() const = 0;

protected:
    using OnRow = std::function<void(std::span<Cell>)>;

private:
    virtual std::int64_t run(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                             const OnRow& on_row) = 0;

    template <typename... Columns, typename F, std::size_t... I>
    static void hand_over(F& on_row, std::span<Cell> row, std::index_sequence<I...>) {
        on_row(from_cell<Columns>(row[I])...);
    }
};

// A step in the life of the schema. Numbers are unique over the whole program and only grow; a migration that has
// been released is never edited (its digest is kept in the database). `sql` is one or more statements.
struct Migration {
    int number = 0;
    std::string name;
    std::string sql;
};

// What the schema forbids and this database no longer does: the names of triggers that are missing, altered or switched
// off. Empty when all is well.
std::vector<std::string> missing_guards(Session& session, const std::vector<Migration>& migrations);

struct Options {
    int busy_timeout_ms = 5000;    // how long to wait for a writer in another process
    std::size_t queue_max = 8192;  // works waiting; more are refused with `overloaded`
    std::size_t group_max = 512;   // works in one commit
    int readers = 4;               // read connections; a further reader waits for a free one
    int checkpoint_pages = 4000;   // WAL pages (4 KiB) after which they move into the main file
};

class Database {
public:
    // A change: returns nothing, or why it did not happen (which undoes it). It may run twice or more only if it was
    // undone before; it must not wait for anything.
    using Work = std::move_only_function<Result<void>(Session&)>;
    using Done = std::move_only_function<void(Result<void>)>;

    // Opens or creates the file (mode 0600) and applies the migrations it lacks, each in a transaction of its own.
    // Refuses, with a sentence: a file from a newer program (unsupported), an edited migration (corrupt), a file
    // that is no database (corrupt), a folder that cannot be written (unavailable).
    // On PostgreSQL the tables stand in the connection's current schema; several programs may open it at once.
    static Result<std::unique_ptr<Database>> open(const Location& where, std::vector<Migration> migrations,
                                                  Options options = {});
    // Runs what is queued, then closes.
    virtual ~Database() = default;

    // Queues `work`. `done` is called exactly once: on the writer thread after the durable commit or the rollback,
    // or at once on this thread when the queue is full (overloaded). It must neither block nor throw: hand over.
    virtual void write(Work work, Done done) = 0;

    // The same for a work with a value: `work` is Result<T>(Session&), `done` is void(Result<T>).
    template <typename F, typename D>
    void write_value(F work, D done);

    // Queues and waits: for the command line and for tests. Not from a work, a `done` or a read.
    // `work` is Result<T>(Session&), T may be void.
    template <typename F>
    auto write_now(F work) -> std::invoke_result_t<F&, Session&>;

    // Runs `work`, Result<T>(Session&), on a read connection, on this thread, in one snapshot. Writes are refused.
    template <typename F>
    auto read(F work) -> std::invoke_result_t<F&, Session&>;

    // As `read`, confined to one tenant (see Session::confine).
    template <typename F>
    auto read_as(std::string_view tenant, F work) -> std::invoke_result_t<F&, Session&> {
        return read([&](Session& session) {
            session.confine(tenant);
            return work(session);
        });
    }

    // Can the store be written? Cheap while the last commit went well, else tries a small write (blocking).
    virtual Result<void> probe() = 0;

protected:
    using ReadWork = std::function<Result<void>(Session&)>;
    virtual Result<void> write_and_wait(Work work) = 0;
    virtual Result<void> read_with(const ReadWork& work) = 0;
};

namespace detail {

template <typename R>
Result<void> outcome_of(const R& result) {
    if (!result) return fail(result.error());
    return {};
}

}  // namespace detail

template <typename F, typename D>
void Database::write_value(F work, D done) {
    using R = std::invoke_result_t<F&, Session&>;
    auto value = std::make_shared<std::optional<R>>();
    write(
        [work = std::move(work), value](Session& session) mutable {
            value->emplace(work(session));
            return detail::outcome_of(**value);
        },
        [done = std::move(done), value](Result<void> outcome) mutable {
            if (outcome) {
                done(std::move(**value));
            } else {
                done(R(fail(std::move(outcome.error()))));
            }
        });
}

template <typename F>
auto Database::write_now(F work) -> std::invoke_result_t<F&, Session&> {
    using R = std::invoke_result_t<F&, Session&>;
    std::optional<R> value;
    auto outcome = write_and_wait([&](Session& session) {
        value.emplace(work(session));
        return detail::outcome_of(*value);
    });
    if (!outcome) return fail(std::move(outcome.error()));
    return std::move(*value);
}

template <typename F>
auto Database::read(F work) -> std::invoke_result_t<F&, Session&> {
    using R = std::invoke_result_t<F&, Session&>;
    std::optional<R> value;
    auto outcome = read_with([&](Session& session) {
        value.emplace(work(session));
        return detail::outcome_of(*value);
    });
    if (!outcome) return fail(std::move(outcome.error()));
    return std::move(*value);
}

}  // namespace rootstock::store
