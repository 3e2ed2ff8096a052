#pragma once
// A database of a PostgreSQL server: how it is reached, how a lost server is found again, how its faults are named.

#include "store/connection.h"

namespace rootstock::store {

class PostgresConnection final : public Connection {
public:
    // Throws Failure.
    PostgresConnection(const Location& where, Access access, const Options& options);
    ~PostgresConnection() override;

    void script(const std::string& sql) override;
    // begin_write waits for the store's lock, at most busy_timeout_ms. Where the server was lost since the last
    // transaction, a begin connects anew.
    void step(Step step) override;
    bool in_transaction() const override;
    void abandon_transaction() noexcept override;
    void confine(std::string_view tenant) override;
    bool is_postgres() const override { return true; }

private:
    std::int64_t run(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                     const OnRow& on_row) override;
    std::string translated(std::string_view sql, std::span<const Cell> args) const override;
    Failure failure_of(const soci::soci_error& error) override;
    bool forgets_failed_statements() const override { return false; }

    void connect();
    bool is_lost() const;
    // Runs simple statements and returns the last row's only column, if there is one.
    std::string send(const std::string& sql);
    void begin();
    void commit();
    // After a connection was lost in a commit: did it happen? Throws when that cannot be learned.
    bool was_committed();

    const Location where_;
    const Access access_;
    const int patience_ms_;
    std::string begin_;        // the text that begins a transaction
    bool confined_ = false;    // is the running work?
    std::string transaction_;  // the running one's number, as the server counts
};

}  // namespace rootstock::store
