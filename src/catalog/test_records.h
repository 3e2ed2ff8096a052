#pragma once
// Records of a test's own, and a clock it holds in its hand.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "catalog/catalog.h"

namespace rootstock::catalog {

class TestRecords : public ::testing::Test {
protected:
    TestRecords() {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-catalog-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        database_ = std::move(store::Database::open(folder_ / "records.db", migrations()).value());
    }
    ~TestRecords() override {
        database_.reset();
        std::filesystem::remove_all(folder_);
    }

    template <typename F>
    auto write(F work) {
        return database_->write_now(std::move(work));
    }
    // A read that yields a value, or a Result of its own.
    template <typename F>
    auto see(F work) {
        using T = std::invoke_result_t<F&, store::Session&>;
        return database_->read([&](store::Session& session) -> Result<T> { return work(session); }).value();
    }

    std::filesystem::path folder_;
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};
    std::unique_ptr<store::Database> database_;
};

}  // namespace rootstock::catalog
