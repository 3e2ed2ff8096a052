#include <gtest/gtest.h>

#include "store/store.h"
#include "store/test_store.h"

namespace rootstock::store {
namespace {

const std::vector<Migration> history{
    {1, "things", "CREATE TABLE thing (id BIGINT PRIMARY KEY);"},
    {2, "names", "ALTER TABLE thing ADD COLUMN name TEXT NOT NULL DEFAULT '';"},
    {3, "first thing", "INSERT INTO thing (id, name) VALUES (1, 'first'); CREATE INDEX thing_name ON thing (name);"},
};

std::vector<Migration> up_to(std::size_t count) { return {history.begin(), history.begin() + std::ptrdiff_t(count)}; }

class MigrateTest : public ::testing::Test {
protected:
    Result<std::unique_ptr<Database>> open(std::vector<Migration> migrations) {
        return Database::open(store_.where(), std::move(migrations));
    }
    TestStore store_;
};

TEST_F(MigrateTest, EveryEarlierSchemaGrowsUp) {
    for (std::size_t start = 0; start <= history.size(); ++start) {
        const TestStore store;
        ASSERT_TRUE(Database::open(store.where(), up_to(start)));
        auto database = Database::open(store.where(), history);
        ASSERT_TRUE(database) << database.error().message;
        EXPECT_EQ((*database)
                      ->read([](Session& session) -> Result<std::string> {
                          return session.value<std::string>("SELECT name FROM thing WHERE id = :id", 1);
                      })
                      .value(),
                  "first");
    }
}

TEST_F(MigrateTest, AFileOfANewerProgramIsRefused) {
    ASSERT_TRUE(open(history));
    auto database = open(up_to(2));
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, ErrorCode::unsupported);
    EXPECT_NE(database.error().message.find("newer"), std::string::npos);
}

TEST_F(MigrateTest, AnEditedMigrationIsRefused) {
    ASSERT_TRUE(open(history));
    auto edited = history;
    edited[1].sql += " -- harmless?";
    auto database = open(edited);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, ErrorCode::corrupt);
}

TEST_F(MigrateTest, AFailingMigrationLeavesTheOneBefore) {
    auto broken = up_to(2);
    broken.push_back({3, "broken", "CREATE TABLE other (id BIGINT); INSERT INTO nowhere VALUES (1);"});
    EXPECT_FALSE(open(broken));
    auto database = open(up_to(2));
    ASSERT_TRUE(database);
    EXPECT_FALSE((*database)->read([](Session& session) -> Result<std::int64_t> {
        return session.value<std::int64_t>("SELECT COUNT(*) FROM other");
    }));
}

}  // namespace
}  // namespace rootstock::store
