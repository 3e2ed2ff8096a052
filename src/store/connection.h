#pragma once
// One SQLite connection through SOCI: how it is opened, how statements are kept, how faults are named.

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "store/store.h"

namespace soci {
class session;
class soci_error;
}  // namespace soci

namespace rootstock::store {

class Statement;

enum class Access { write, read };

class Connection final : public Session {
public:
    // Throws Failure.
    Connection(const std::filesystem::path& file, Access access, const Options& options);
    ~Connection() override;

    // A statement, or several, without values or rows: the text of a migration.
    void script(const std::string& sql);
    // One step of a transaction (BEGIN, SAVEPOINT, COMMIT): a literal, prepared once and kept.
    void step(const char* sql);

    // Is a transaction open? SQLite rolls back by itself after some faults (disk full, I/O).
    bool in_transaction() const;
    // Ends an open transaction, whatever happened; never throws.
    void abandon_transaction() noexcept;

    // Did a failed fsync make this file's state unknown?
    bool lost_a_sync() const { return lost_a_sync_; }

private:
    std::int64_t run(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                     const OnRow& on_row) override;
    Statement& prepared(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns);
    [[noreturn]] void refuse(const soci::soci_error& error, std::string_view sql);

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };

    std::string file_;
    std::unique_ptr<soci::session> session_;
    std::unordered_map<std::string, std::unique_ptr<Statement>, Hash, std::equal_to<>> statements_;
    std::unordered_map<std::string_view, void*> steps_;  // sqlite3_stmt; its header stays in the .cpp
    bool lost_a_sync_ = false;
};

}  // namespace rootstock::store
