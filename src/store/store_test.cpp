#include "store/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "store/test_store.h"

namespace rootstock::store {
namespace {

const Migration things{1, "things", "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, size DOUBLE PRECISION);"};

class StoreTest : public ::testing::Test {
protected:
    std::unique_ptr<Database> open(Options options = {}) {
        auto database = Database::open(store_.where(), {things}, options);
        EXPECT_TRUE(database) << database.error().message;
        return std::move(*database);
    }
    std::filesystem::path file() const { return store_.where().file(); }
    TestStore store_;
};

Result<void> insert(Session& session, std::int64_t id, std::optional<std::string> name) {
    session.execute("INSERT INTO thing (id, name, size) VALUES (:id, :name, :size)", id, name, 0.5);
    return {};
}

Result<std::int64_t> count(Session& session) { return session.value<std::int64_t>("SELECT COUNT(*) FROM thing"); }

TEST_F(StoreTest, ValuesComeBackAsTheyWentIn) {
    auto database = open();
    // PostgreSQL keeps no NUL in a text, and says so (see postgres_test.cpp).
    std::string odd("a\0b\xe7\x94\xb2\xf0\x9f\x8c\xb1'\"", 12);
    if (TestStore::on_postgres()) odd[1] = ' ';
    ASSERT_TRUE(database->write_now([&](Session& session) { return insert(session, INT64_MAX, odd); }));
    ASSERT_TRUE(database->write_now([&](Session& session) { return insert(session, INT64_MIN, std::nullopt); }));
    using Row = std::tuple<std::int64_t, std::optional<std::string>, double>;
    auto rows = database->read([](Session& session) -> Result<std::vector<Row>> {
        return session.query<std::int64_t, std::optional<std::string>, double>(
            "SELECT id, name, size FROM thing ORDER BY id");
    });
    ASSERT_TRUE(rows);
    EXPECT_EQ(*rows, (std::vector<Row>{{INT64_MIN, std::nullopt, 0.5}, {INT64_MAX, odd, 0.5}}));
}

TEST_F(StoreTest, AFailingWorkRollsBackAloneInItsGroup) {
    auto database = open();
    std::promise<void> gate;
    auto opened = gate.get_future().share();
    // The first work holds the writer, so that the others gather into one group.
    std::vector<std::future<Result<void>>> outcomes;
    const auto queue = [&](Database::Work work) {
        auto promise = std::make_shared<std::promise<Result<void>>>();
        outcomes.push_back(promise->get_future());
        database->write(std::move(work), [promise](Result<void> result) { promise->set_value(std::move(result)); });
    };
    queue([opened](Session&) -> Result<void> {
        opened.wait();
        return {};
    });
    for (int i = 0; i < 10; ++i)
        queue([i](Session& session) -> Result<void> {
            ROOTSTOCK_CHECKED(insert(session, i, "x"));
            if (i == 3) return fail(ErrorCode::conflict, "no");
            if (i == 5) session.execute("INSERT INTO nowhere VALUES (1)");
            if (i == 7) throw std::runtime_error("thrown");
            return {};
        });
    gate.set_value();
    std::vector<bool> ok;
    for (auto& outcome : outcomes) ok.push_back(outcome.get().has_value());
    EXPECT_EQ(ok, (std::vector<bool>{true, true, true, true, false, true, false, true, false, true, true}));
    EXPECT_EQ(database->read(count).value(), 7);
}

TEST_F(StoreTest, AValueArrivesWithTheCommit) {
    auto database = open();
    std::promise<Result<std::string>> promise;
    database->write_value(
        [](Session& session) -> Result<std::string> {
            ROOTSTOCK_CHECKED(insert(session, 1, "one"));
            return "one";
        },
        [&](Result<std::string> value) { promise.set_value(std::move(value)); });
    EXPECT_EQ(promise.get_future().get().value(), "one");
}

TEST_F(StoreTest, AFullQueueRefusesAtOnce) {
    auto database = open({.queue_max = 2});
    std::promise<void> gate, started;
    auto opened = gate.get_future().share();
    std::atomic<int> refused = 0, done = 0;
    database->write(
        [&](Session&) -> Result<void> {
            started.set_value();
            opened.wait();
            return {};
        },
        [&](Result<void>) { ++done; });
    started.get_future().wait();
    for (int i = 0; i < 5; ++i)
        database->write([](Session&) -> Result<void> { return {}; },
                        [&](Result<void> outcome) {
                            ++done;
                            refused += !outcome && outcome.error().code == ErrorCode::overloaded;
                        });
    EXPECT_EQ(refused, 3);
    gate.set_value();
    database.reset();
    EXPECT_EQ(done, 6) << "closing runs what is queued and answers everybody";
}

TEST_F(StoreTest, ReadersSeeASnapshotAndCannotWrite) {
    auto database = open();
    auto before = database->read([&](Session& session) -> Result<std::int64_t> {
        const auto first = count(session);
        EXPECT_TRUE(database->write_now([](Session& other) { return insert(other, 1, "new"); }));
        EXPECT_EQ(count(session).value(), first.value());
        return first;
    });
    EXPECT_EQ(before.value(), 0);
    EXPECT_EQ(database->read(count).value(), 1);
    EXPECT_FALSE(database->read([](Session& session) { return insert(session, 2, "no"); }));
    EXPECT_EQ(database->read(count).value(), 1) << "a reader recovers after a fault";
}

TEST_F(StoreTest, ManyReadersShareFewConnections) {
    auto database = open({.readers = 2});
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 50; ++n) right += database->read(count).value() == 0;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 400);
}

TEST_F(StoreTest, OnlyAFileIsForItsOwner) {
    auto database = open();
    ASSERT_TRUE(database->write_now([](Session& session) { return insert(session, 1, "x"); }));
    for (const char* side : {"", "-wal", "-shm"}) {
        struct stat state {};
        ASSERT_EQ(::stat((file().string() + side).c_str(), &state), 0) << side;
        EXPECT_EQ(state.st_mode & 0777, 0600U) << side;
    }
}

TEST_F(StoreTest, AWriterElsewhereIsWaitedForAndThenNamed) {
    auto mine = open({.busy_timeout_ms = 50});
    auto other = open();
    std::promise<void> gate, started;
    auto opened = gate.get_future().share();
    other->write(
        [&](Session&) -> Result<void> {
            started.set_value();
            opened.wait();
            return {};
        },
        [](Result<void>) {});
    started.get_future().wait();
    auto outcome = mine->write_now([](Session& session) { return insert(session, 1, "x"); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
    EXPECT_NE(outcome.error().message.find("another process"), std::string::npos) << outcome.error().message;
    gate.set_value();
    other.reset();
    EXPECT_TRUE(mine->probe()) << "it recovers by itself";
    EXPECT_TRUE(mine->write_now([](Session& session) { return insert(session, 1, "x"); }));
}

TEST_F(StoreTest, OnlyAFileFillsADiskAndSurvivesIt) {
    auto database = open();
    const auto limit = [&](int pages) {
        return database->write_now([&](Session& session) -> Result<void> {
            session.query<std::int64_t>("PRAGMA max_page_count = " + std::to_string(pages));
            return {};
        });
    };
    ASSERT_TRUE(limit(8));
    auto outcome = database->write_now([](Session& session) { return insert(session, 1, std::string(100'000, 'x')); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
    EXPECT_NE(outcome.error().message.find("disk is full"), std::string::npos) << outcome.error().message;
    ASSERT_TRUE(limit(1 << 20));
    EXPECT_TRUE(database->write_now([](Session& session) { return insert(session, 1, std::string(100'000, 'x')); }));
    EXPECT_EQ(database->read(count).value(), 1);
}

TEST_F(StoreTest, OnlyAFileMayBeNoDatabase) {
    std::ofstream(file()) << std::string(5000, 'z');
    auto database = Database::open(file(), {things});
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, ErrorCode::corrupt) << database.error().message;
    auto nowhere = Database::open(store_.folder() / "missing" / "x.db", {things});
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, ErrorCode::unavailable);
}

TEST_F(StoreTest, ErrorsDoNotQuoteValues) {
    auto database = open();
    ASSERT_TRUE(database->write_now([](Session& session) { return insert(session, 1, "x"); }));
    auto outcome = database->write_now([](Session& session) { return insert(session, 1, "a customer's secret"); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message.find("secret"), std::string::npos) << outcome.error().message;
}

}  // namespace
}  // namespace rootstock::store
