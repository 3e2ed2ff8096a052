#include "store/sqlite.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/statement.h"

namespace rootstock::store {
namespace {

using namespace sqlite_api;

// SQLite's own handle. SOCI keeps the type's run-time information to itself, so UBSan cannot check the cast.
[[gnu::no_sanitize("vptr")]] sqlite3* handle_of(soci::session& session) {
    return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

// What went wrong, in SQLite's words. SOCI's own message is used only when SQLite has none: it quotes the values
// of the statement, which may be a customer's.
struct Fault {
    int code = 0;  // SQLite's, with the extended part; 0 for a fault of SOCI's own
    std::string words;
};

Fault fault_of(const soci::soci_error& error, soci::session* session) {
    if (session != nullptr && session->get_backend() != nullptr) {
        sqlite3* handle = handle_of(*session);
        const int code = sqlite3_extended_errcode(handle);
        if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) return {code, sqlite3_errmsg(handle)};
    }
    const auto* own = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    return {own != nullptr ? own->result() : 0, error.get_error_message()};
}

Error explain(const Fault& fault, const std::string& file) {
    const std::string where = "the records (" + file + ") ";
    switch (fault.code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::unavailable, where + "are held by another process: try again in a moment", {}, "locked"};
        case SQLITE_FULL:
            return {ErrorCode::unavailable, where + "cannot grow: the disk is full; free some space", {}, "disk_full"};
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
            return {ErrorCode::unavailable,
                    where + "cannot be opened for writing: check the folder and its permissions",
                    {},
                    "read_only"};
        case SQLITE_IOERR:
            return {ErrorCode::unavailable, where + "cannot be read or written: the disk reports an error", {}, "io"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorCode::corrupt, where + "are damaged or no SQLite file: restore a backup", {}, "damaged"};
        default:
            return {ErrorCode::internal, where + "refused a statement: " + fault.words, {}, "statement_refused"};
    }
}

bool is_lost_sync(int code) {
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC || code == SQLITE_IOERR_TRUNCATE;
}

// Every connection is used by one thread at a time, so SQLite's own locks around connections and around its count of
// memory only cost: under load they were a fifth of a request's time. Must come before SQLite's first use; where
// another library was first, all works as before.
void configure_once() {
    static const bool done = [] {
        sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 1024, 256);  // bytes, pieces: small memory of each connection
        return true;
    }();
    static_cast<void>(done);
}

std::string connect_string(const std::filesystem::path& file) {
    const std::string path = file.string();
    const char quote = path.find('"') == std::string::npos ? '"' : '\'';
    return "dbname=" + (quote + path + quote);
}

std::string start_script(Access access, const Options& options) {
    std::string sql = "PRAGMA busy_timeout = " + std::to_string(options.busy_timeout_ms) + ";";
    sql += "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;";
    if (access == Access::read) return sql + "PRAGMA query_only = ON;";
    sql += "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
    return sql + "PRAGMA wal_autocheckpoint = " + std::to_string(options.checkpoint_pages) + ";";
}

const char* text_of(Step step) {
    constexpr const char* texts[] = {"BEGIN IMMEDIATE", "BEGIN",  "SAVEPOINT work", "ROLLBACK TO work",
                                     "RELEASE work",    "COMMIT", "ROLLBACK"};
    return texts[static_cast<std::size_t>(step)];
}

}  // namespace

// SQLite gives its side files the mode of the main one, so it is made first and for the owner only.
Result<void> make_private(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fail(ErrorCode::unavailable,
                    "the records file " + file.string() + " cannot be opened for writing: " + std::strerror(errno));
    ::close(descriptor);
    return {};
}

SqliteConnection::SqliteConnection(const std::filesystem::path& file, Access access, const Options& options)
    : file_(file.filename().string()) {
    configure_once();
    try {
        session_ = std::make_unique<soci::session>(soci::sqlite3, connect_string(file));
        sqlite3_extended_result_codes(handle_of(*session_), 1);
    } catch (const soci::soci_error& fault) {
        throw failure_of(fault);
    }
    script(start_script(access, options));
}

SqliteConnection::~SqliteConnection() {
    abandon_transaction();
    for (void* step : steps_) sqlite3_finalize(static_cast<sqlite3_stmt*>(step));
}

void SqliteConnection::step(Step step) {
    sqlite3* handle = handle_of(*session_);
    void*& kept = steps_.at(static_cast<std::size_t>(step));
    sqlite3_stmt* statement = static_cast<sqlite3_stmt*>(kept);
    if (!statement &&
        sqlite3_prepare_v3(handle, text_of(step), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
        throw failure_of(soci::soci_error(sqlite3_errmsg(handle)));
    kept = statement;
    sqlite3_step(statement);
    if (sqlite3_reset(statement) != SQLITE_OK) throw failure_of(soci::soci_error(sqlite3_errmsg(handle)));
}

void SqliteConnection::script(const std::string& sql) {
    sqlite3* handle = handle_of(*session_);
    if (sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        throw failure_of(soci::soci_error(sqlite3_errmsg(handle)));
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_of(*session_)) == 0; }

void SqliteConnection::abandon_transaction() noexcept {
    if (in_transaction()) sqlite3_exec(handle_of(*session_), "ROLLBACK", nullptr, nullptr, nullptr);
}

Failure SqliteConnection::failure_of(const soci::soci_error& error) {
    const Fault fault = fault_of(error, session_.get());
    lost_a_sync_ = lost_a_sync_ || is_lost_sync(fault.code);
    return Failure(explain(fault, file_));
}

}  // namespace rootstock::store
