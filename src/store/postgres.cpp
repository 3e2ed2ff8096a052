#include "store/postgres.h"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <chrono>
#include <thread>

#include "store/dialect.h"
#include "store/statement.h"

namespace rootstock::store {
namespace {

// SOCI keeps the type's run-time information to itself, so UBSan cannot check the cast.
[[gnu::no_sanitize("vptr")]] PGconn* handle_of(soci::session& session) {
    return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

struct Named {
    std::string_view state;  // SQLSTATE, or the class it begins with
    ErrorCode code;
    std::string_view words, reason;
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html
constexpr Named faults[] = {
    {"08", ErrorCode::unavailable, "cannot be reached: is the server up? It is tried again with the next change",
     "no_server"},
    {"57P", ErrorCode::unavailable, "cannot be reached: the server is stopping or starting", "no_server"},
    {"25P03", ErrorCode::unavailable, "were left by the server in the midst of a change: try again", "no_server"},
    {"55P03", ErrorCode::unavailable, "are held by another process: try again in a moment", "locked"},
    {"40", ErrorCode::unavailable, "were changed by another at the same time: try again", "locked"},
    {"53100", ErrorCode::unavailable, "cannot grow: the server's disk is full; free some space", "disk_full"},
    {"53", ErrorCode::unavailable, "cannot be served: the server is out of connections or memory", "no_server"},
    {"25006", ErrorCode::unavailable, "can only be read: this server is a standby or set to read only", "read_only"},
    {"28", ErrorCode::unavailable, "cannot be opened: the server refuses this user or password", "refused"},
    {"3D000", ErrorCode::unavailable, "do not exist: create the database on the server first", "refused"},
    {"42501", ErrorCode::unavailable, "cannot be used: this user lacks a right on them", "refused"},
    {"58", ErrorCode::unavailable, "cannot be read or written: the server's disk reports an error", "io"},
    {"XX001", ErrorCode::corrupt, "are damaged: restore a backup", "damaged"},
    {"XX002", ErrorCode::corrupt, "are damaged: rebuild the index or restore a backup", "damaged"},
};

Failure explain(std::string_view state, std::string_view words, const Location& where) {
    const std::string records = "the records (" + where.shown() + ") ";
    for (const Named& fault : faults)
        if (state.starts_with(fault.state))
            return Failure({fault.code, records + std::string(fault.words), {}, std::string(fault.reason)});
    while (!words.empty() && words.back() == '\n') words.remove_suffix(1);
    return Failure(
        {ErrorCode::internal, records + "refused a statement: " + std::string(words), {}, "statement_refused"});
}

void keep_quiet(void*, const char*) {}  // notices, such as of a table that is there already

std::string settings(Access access, int patience_ms) {
    std::string sql = "SET standard_conforming_strings = on; SET lock_timeout = " + std::to_string(patience_ms) + ";";
    if (access == Access::read) return sql + "SET default_transaction_read_only = on;";
    // A writer that hangs must not hold the store's lock for ever; whoever is told "done" has it on the disk.
    return sql + "SET synchronous_commit = on; SET idle_in_transaction_session_timeout = 30000;";
}

}  // namespace

PostgresConnection::PostgresConnection(const Location& where, Access access, const Options& options)
    : where_(where), access_(access), patience_ms_(options.busy_timeout_ms) {
    connect();
}

PostgresConnection::~PostgresConnection() {
    abandon_transaction();
    forget_statements();  // they speak to the server as they go
}

void PostgresConnection::connect() {
    forget_statements();
    session_.reset();
    try {
        session_ = std::make_unique<soci::session>(soci::postgresql, where_.address());
    } catch (const soci::soci_error& fault) {
        const std::string words = fault.get_error_message();
        // libpq gives a connection that never stood no SQLSTATE.
        if (words.find("authentication failed") != std::string::npos || words.find("no password") != std::string::npos)
            throw explain("28", words, where_);
        throw explain(words.find("does not exist") != std::string::npos ? "3D000" : "08", words, where_);
    }
    PGconn* handle = handle_of(*session_);
    PQsetNoticeProcessor(handle, keep_quiet, nullptr);
    PQsetErrorVerbosity(handle, PQERRORS_TERSE);  // without the detail line, which quotes values
    send(settings(access_, patience_ms_));
    // One lock for each schema, so that stores that share a database do not wait for each other.
    const std::string lock = send("SELECT hashtext(current_schema())");
    begin_ = access_ == Access::read
                 ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                 : "BEGIN; SELECT pg_advisory_xact_lock(1919906674, " + lock + "); SELECT pg_current_xact_id()";
}

bool PostgresConnection::is_lost() const { return !session_ || PQstatus(handle_of(*session_)) != CONNECTION_OK; }

std::string PostgresConnection::send(const std::string& sql) {
    PGconn* handle = handle_of(*session_);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(handle, sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK)
        return PQntuples(result.get()) == 1 && PQnfields(result.get()) == 1 ? PQgetvalue(result.get(), 0, 0) : "";
    if (status == PGRES_COMMAND_OK) return {};
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    throw explain(is_lost() || state == nullptr ? "08" : state, PQresultErrorMessage(result.get()), where_);
}

void PostgresConnection::script(const std::string& sql) { send(postgres_script(sql)); }

void PostgresConnection::confine(std::string_view tenant) {
    confined_ = true;
    first<std::string>("SELECT set_config('rootstock.tenant', :tenant, true)", std::string(tenant));
}

void PostgresConnection::begin() {
    confined_ = false;
    if (is_lost()) connect();
    try {
        transaction_ = send(begin_);
    } catch (const Failure&) {
        abandon_transaction();
        if (!is_lost()) throw;
        connect();  // the server was restarted since
        transaction_ = send(begin_);
    }
}

void PostgresConnection::commit() {
    try {
        send("COMMIT");
    } catch (const Failure&) {
        if (!is_lost() || access_ == Access::read || !was_committed()) throw;
    }
}

bool PostgresConnection::was_committed() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms_);
    do {
        try {
            connect();
            const std::string status = send("SELECT pg_xact_status('" + transaction_ + "')");
            if (status == "committed" || status == "aborted") return status == "committed";
        } catch (const Failure&) {
            // The server is not back yet.
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } while (std::chrono::steady_clock::now() < until);
    throw Failure({ErrorCode::unavailable,
                   "the records (" + where_.shown() +
                       ") were lost in the midst of a commit: whether it happened is "
                       "not known; repeat the request under the same key once the server is back",
                   {},
                   "outcome_unknown"});
}

void PostgresConnection::step(Step step) {
    switch (step) {
        case Step::begin_write:
        case Step::begin_read:
            return begin();
        case Step::savepoint:
            send("SAVEPOINT work");
            return;
        case Step::undo_work:
            send("ROLLBACK TO work");
            return;
        case Step::keep_work:
            // What confined this work must not confine the next.
            send(std::exchange(confined_, false) ? "RELEASE work; SET LOCAL rootstock.tenant = ''" : "RELEASE work");
            return;
        case Step::commit:
            return commit();
        case Step::rollback:
            send("ROLLBACK");
            return;
    }
}

bool PostgresConnection::in_transaction() const {
    if (!session_) return false;
    const auto status = PQtransactionStatus(handle_of(*session_));
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

void PostgresConnection::abandon_transaction() noexcept {
    if (in_transaction()) PQclear(PQexec(handle_of(*session_), "ROLLBACK"));
}

std::string PostgresConnection::translated(std::string_view sql, std::span<const Cell> args) const {
    return postgres_statement(sql, args);
}

std::int64_t PostgresConnection::run(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                                     const OnRow& on_row) {
    for (const Cell& cell : args)
        if (cell.text.find('\0') != std::string::npos)
            throw Failure({ErrorCode::invalid_argument,
                           "a text with a NUL character cannot be kept: leave it out",
                           {},
                           "nul_character"});
    return Connection::run(sql, args, columns, on_row);
}

Failure PostgresConnection::failure_of(const soci::soci_error& error) {
    const auto* own = dynamic_cast<const soci::postgresql_soci_error*>(&error);
    return explain(is_lost() ? "08" : own != nullptr ? own->sqlstate() : "", error.get_error_message(), where_);
}

}  // namespace rootstock::store
