// The books move to another database, come back from a backup, and are the same to the last digest.

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

class Move : public Books {
protected:
    Move() {
        for (int i = 1; i <= 5; ++i) EXPECT_TRUE(settle(hold(acme_, 100).value(), 10 * i));
        EXPECT_TRUE(hold(acme_, 5)) << "a request is under way";
    }
    static Verification verified_at(const store::Location& where) {
        auto database = store::Database::open(where, all_migrations()).value();
        return database->read([](store::Session& session) -> Result<Verification> { return verify(session); }).value();
    }
};

TEST_F(Move, ABackupOfALiveStoreComesBackWhole) {
    const auto before = verified();
    const store::TestStore elsewhere;
    const store::Location backup = store_.folder() / "backup.db";
    const auto saved = store::copy_store(store_.where(), backup, all_migrations(), store::Source::live);
    ASSERT_TRUE(saved) << saved.error().message;
    ASSERT_TRUE(settle(hold(acme_, 100).value(), 10)) << "the store is open for business meanwhile";
    const auto restored = store::copy_store(backup, elsewhere.where(), all_migrations(), store::Source::still);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(*saved, *restored);
    const auto after = verified_at(elsewhere.where());
    EXPECT_TRUE(after.problems.empty()) << after.problems.front();  // its guards stand, too
    EXPECT_EQ(after.digest, before.digest);
    EXPECT_EQ(after.usage_events, 5);
    EXPECT_EQ(after.open_reservations, 1);
}

TEST_F(Move, NothingIsPutOverAUsedStore) {
    const store::Location backup = store_.folder() / "backup.db";
    ASSERT_TRUE(store::copy_store(store_.where(), backup, all_migrations(), store::Source::still));
    const auto again = store::copy_store(backup, store_.where(), all_migrations(), store::Source::still);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().reason, "not_empty");
    EXPECT_TRUE(verified().problems.empty());
}

}  // namespace
}  // namespace rootstock::ledger
