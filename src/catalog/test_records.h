#pragma once
// Records of a test's own, and a clock it holds in its hand.

#include <gtest/gtest.h>

#include <memory>

#include "catalog/catalog.h"
#include "store/test_store.h"

namespace rootstock::catalog {

class TestRecords : public ::testing::Test {
protected:
    TestRecords() { database_ = std::move(store::Database::open(store_.where(), migrations()).value()); }

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

    store::TestStore store_;
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};
    std::unique_ptr<store::Database> database_;
};

}  // namespace rootstock::catalog
