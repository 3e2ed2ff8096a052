#pragma once
// One connection through SOCI: how statements are kept, and what a database of either kind must be able to do.

#include <functional>
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

// The steps of a transaction. Works of one group stand between savepoints.
enum class Step { begin_write, begin_read, savepoint, undo_work, keep_work, commit, rollback };

class Connection : public Session {
public:
    ~Connection() override;

    // A statement, or several, without values or rows: the text of a migration.
    virtual void script(const std::string& sql) = 0;
    virtual void step(Step step) = 0;

    // Is a transaction open? A database rolls back by itself after some faults (disk full, I/O, a lost connection).
    virtual bool in_transaction() const = 0;
    // Ends an open transaction, whatever happened; never throws.
    virtual void abandon_transaction() noexcept = 0;

    // As Session's own, for columns that are only known as it runs.
    std::int64_t rows(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                      const OnRow& on_row) {
        return run(sql, args, columns, on_row);
    }

    // Did a failed fsync make this file's state unknown?
    virtual bool lost_a_sync() const { return false; }

protected:
    Connection();

    std::int64_t run(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                     const OnRow& on_row) override;

    // A statement in this database's words.
    virtual std::string translated(std::string_view sql, std::span<const Cell> args) const;
    // The fault by its name.
    virtual Failure failure_of(const soci::soci_error& error) = 0;
    // Is a statement that failed once to be prepared anew?
    virtual bool forgets_failed_statements() const { return true; }

    void forget_statements();

    std::unique_ptr<soci::session> session_;

private:
    Statement& prepared(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns);

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::unordered_map<std::string, std::unique_ptr<Statement>, Hash, std::equal_to<>> statements_;
};

// Opens one more connection to the same records. Throws Failure.
using Connector = std::function<std::unique_ptr<Connection>(Access)>;

}  // namespace rootstock::store
