#pragma once
// A SQLite file: how it is opened, and how its faults are named.

#include <array>
#include <filesystem>

#include "store/connection.h"

namespace rootstock::store {

class SqliteConnection final : public Connection {
public:
    // Throws Failure.
    SqliteConnection(const std::filesystem::path& file, Access access, const Options& options);
    ~SqliteConnection() override;

    void script(const std::string& sql) override;
    void step(Step step) override;
    bool in_transaction() const override;
    void abandon_transaction() noexcept override;
    bool lost_a_sync() const override { return lost_a_sync_; }
    void confine(std::string_view) override {}
    bool is_postgres() const override { return false; }

private:
    Failure failure_of(const soci::soci_error& error) override;

    std::string file_;
    std::array<void*, 7> steps_{};  // sqlite3_stmt, prepared once; its header stays in the .cpp
    bool lost_a_sync_ = false;
};

// Makes the file, for its owner only.
Result<void> make_private(const std::filesystem::path& file);

}  // namespace rootstock::store
