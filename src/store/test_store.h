#pragma once
// Records of one test's own, removed afterwards: a file in a folder, or, where ROOTSTOCK_TEST_POSTGRES names a server,
// a schema there. So the same tests run on both databases.

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "store/store.h"
#include "store/test_folder.h"

namespace rootstock::store {

class TestStore {
public:
    TestStore() {
        if (!on_postgres()) return;
        static std::atomic<int> count = 0;
        schema_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
        administer("CREATE SCHEMA " + schema_);
    }
    ~TestStore() {
        if (on_postgres()) administer("DROP SCHEMA " + schema_ + " CASCADE");
    }
    TestStore(const TestStore&) = delete;
    TestStore& operator=(const TestStore&) = delete;

    static bool on_postgres() { return std::getenv("ROOTSTOCK_TEST_POSTGRES") != nullptr; }

    Location where() const {
        if (!on_postgres()) return folder_.path / "records.db";
        return Location::parse(std::string(std::getenv("ROOTSTOCK_TEST_POSTGRES")) + "&options=-csearch_path%3D" +
                               schema_)
            .value();
    }
    const std::filesystem::path& folder() const { return folder_.path; }

private:
    static void administer(const std::string& sql) {
        auto database = Database::open(Location::parse(std::getenv("ROOTSTOCK_TEST_POSTGRES")).value(), {}).value();
        database
            ->write_now([&](Session& session) -> Result<void> {
                session.execute(sql);
                return {};
            })
            .value();
    }

    TestFolder folder_;
    std::string schema_;
};

}  // namespace rootstock::store
