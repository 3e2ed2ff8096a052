// What is special about PostgreSQL; everything else is tested by the same tests as SQLite.

#include <gtest/gtest.h>

#include <thread>

#include "store/test_store.h"

namespace rootstock::store {
namespace {

class PostgresTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (!TestStore::on_postgres()) GTEST_SKIP() << "runs as store_postgres";
    }
    std::unique_ptr<Database> open(std::vector<Migration> migrations) {
        auto database = Database::open(store_.where(), std::move(migrations));
        EXPECT_TRUE(database) << database.error().message;
        return std::move(*database);
    }
    TestStore store_;
};

const Migration notes{1, "notes",
                      "CREATE TABLE note (tenant_id TEXT NOT NULL, id BIGINT NOT NULL, body TEXT, PRIMARY KEY "
                      "(tenant_id, id));" +
                          append_only("note")};

Result<void> note(Session& session, const std::string& tenant, int id, const std::string& body = "x") {
    session.execute("INSERT INTO note (tenant_id, id, body) VALUES (:tenant, :id, :body)", tenant, id, body);
    return {};
}

Result<std::int64_t> notes_seen(Session& session) { return session.value<std::int64_t>("SELECT COUNT(*) FROM note"); }

TEST_F(PostgresTest, ATextHoldsNoNul) {
    auto database = open({notes});
    auto outcome = database->write_now([](Session& session) { return note(session, "a", 1, std::string("a\0b", 3)); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().reason, "nul_character");
}

TEST_F(PostgresTest, ALostServerIsFoundAgain) {
    auto database = open({notes});
    const auto pid = [](Session& session) -> Result<std::int64_t> {
        return session.value<std::int64_t>("SELECT pg_backend_pid()");
    };
    const std::int64_t writer = database->write_now(pid).value(), reader = database->read(pid).value();
    auto other = open({notes});
    ASSERT_TRUE(other->write_now([&](Session& session) -> Result<void> {
        for (const std::int64_t process : {writer, reader})
            session.query<bool>("SELECT pg_terminate_backend(CAST(:process AS INT))", process);
        return {};
    }));
    EXPECT_TRUE(database->write_now([](Session& session) { return note(session, "a", 1); }));
    EXPECT_EQ(database->read(notes_seen).value(), 1);
}

TEST_F(PostgresTest, AServerLostInAWorkUndoesItAndIsNamed) {
    auto database = open({notes});
    auto outcome = database->write_now([](Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(note(session, "a", 1));
        session.query<bool>("SELECT pg_terminate_backend(pg_backend_pid())");
        return {};
    });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::unavailable) << outcome.error().message;
    EXPECT_EQ(outcome.error().reason, "no_server");
    EXPECT_EQ(database->read(notes_seen).value(), 0);
    EXPECT_TRUE(database->write_now([](Session& session) { return note(session, "a", 1); })) << "it recovers by itself";
}

TEST_F(PostgresTest, WritersOfTwoProgramsTakeTurns) {
    auto one = open({{1, "n", "CREATE TABLE n (at BIGINT NOT NULL); INSERT INTO n VALUES (0);"}});
    auto two = open({{1, "n", "CREATE TABLE n (at BIGINT NOT NULL); INSERT INTO n VALUES (0);"}});
    // Read, then write what was read and one: wrong at once if two could do it at the same time.
    const auto add_many = [](Database& database) {
        for (int i = 0; i < 200; ++i)
            EXPECT_TRUE(database.write_now([](Session& session) -> Result<void> {
                const auto at = session.value<std::int64_t>("SELECT at FROM n");
                session.execute("UPDATE n SET at = :at", at + 1);
                return {};
            }));
    };
    std::thread other([&] { add_many(*two); });
    add_many(*one);
    other.join();
    EXPECT_EQ(one->read([](Session& session) -> Result<std::int64_t> {
                     return session.value<std::int64_t>("SELECT at FROM n");
                 })
                  .value(),
              400);
}

TEST_F(PostgresTest, ATenantsSessionSeesItsRowsWithoutAWhere) {
    auto database = open({notes});
    for (const std::string tenant : {"acme", "beta", ""})
        for (int i = 0; i < 3; ++i)
            ASSERT_TRUE(database->write_now([&](Session& session) { return note(session, tenant, i); }));
    EXPECT_EQ(database->read(notes_seen).value(), 9) << "the house sees all";
    EXPECT_EQ(database->read_as("acme", notes_seen).value(), 3);
    EXPECT_EQ(database->read_as("nobody", notes_seen).value(), 0);
    EXPECT_EQ(database->read(notes_seen).value(), 9) << "the wall ends with the transaction";
    // Nor does it write a row for another; and what stood behind the wall does not stay there in the next work.
    const auto forged = database->write_now([](Session& session) -> Result<void> {
        session.confine("acme");
        return note(session, "beta", 9);
    });
    ASSERT_FALSE(forged);
    EXPECT_EQ(forged.error().reason, "refused") << forged.error().message;
    EXPECT_TRUE(database->write_now([](Session& session) { return note(session, "beta", 9); }));
}

TEST_F(PostgresTest, ATableIsNotEmptiedAtOnceEither) {
    auto database = open({notes});
    ASSERT_TRUE(database->write_now([](Session& session) { return note(session, "a", 1); }));
    for (const char* sql : {"TRUNCATE note", "DELETE FROM note", "UPDATE note SET body = 'y'"})
        EXPECT_FALSE(database->write_now([&](Session& session) -> Result<void> {
            session.execute(sql);
            return {};
        })) << sql;
}

TEST(Location, APasswordIsNeverShown) {
    const auto where = Location::parse("postgres://rootstock:s3cr3t@db.example:5432/records").value();
    EXPECT_TRUE(where.is_postgres());
    EXPECT_EQ(where.shown(), "PostgreSQL db.example/records");
    EXPECT_NE(where.address().find("s3cr3t"), std::string::npos);
    const auto bad = Location::parse("postgres://rootstock:s3cr3t@db.example:5432/records?nonsense=1");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message.find("s3cr3t"), std::string::npos);
    EXPECT_EQ(Location::parse("sqlite:/tmp/a.db").value().file(), "/tmp/a.db");
    const auto nowhere = Database::open(Location::parse("postgres://u:s3cr3t@/x?host=/nowhere").value(), {});
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, ErrorCode::unavailable);
    EXPECT_EQ(nowhere.error().message.find("s3cr3t"), std::string::npos) << nowhere.error().message;
}

// Whichever database: a guard that was taken away is noticed.
TEST(Guard, AMissingOneIsNamed) {
    const TestStore store;
    auto database = Database::open(store.where(), {notes}).value();
    const auto missing = [&] {
        return database
            ->read(
                [](Session& session) -> Result<std::vector<std::string>> { return missing_guards(session, {notes}); })
            .value();
    };
    EXPECT_TRUE(missing().empty());
    ASSERT_TRUE(database->write_now([](Session& session) -> Result<void> {
        session.execute("DROP TRIGGER note_no_update");
        return {};
    }));
    EXPECT_EQ(missing(), (std::vector<std::string>{"note_no_update"}));
}

}  // namespace
}  // namespace rootstock::store
