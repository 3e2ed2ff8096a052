#include "ledger/verify.h"

#include <algorithm>

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

class VerifyTest : public Books {
protected:
    VerifyTest() {
        for (int i = 1; i <= 3; ++i) EXPECT_TRUE(settle(hold(acme_, 100).value(), 10 * i));
        EXPECT_TRUE(hold(acme_, 5));
    }
    Result<void> run(const char* sql) {
        return write([&](store::Session& session) -> Result<void> {
            session.execute(sql);
            return {};
        });
    }
    void tamper(const char* sql) {
        for (const char* guard : {"ledger_transfer_no_update", "ledger_transfer_no_delete", "usage_event_no_update",
                                  "usage_event_no_delete", "reservation_no_update"})
            ASSERT_TRUE(run((std::string("DROP TRIGGER ") + guard).c_str()));
        ASSERT_TRUE(run(sql)) << sql;
        const auto problems = verified().problems;
        EXPECT_TRUE(std::ranges::any_of(problems, [](const std::string& problem) {
            return problem.find("guard") == std::string::npos;
        })) << sql;
    }
};

TEST_F(VerifyTest, HonestBooksBalance) {
    const auto first = verified();
    EXPECT_TRUE(first.problems.empty()) << first.problems.front();
    EXPECT_EQ(first.transfers, 3);
    EXPECT_EQ(first.open_reservations, 1);
    EXPECT_EQ(first.digest, verified().digest);
    ASSERT_TRUE(settle(hold(acme_, 5).value(), 5));
    EXPECT_NE(first.digest, verified().digest);
}

TEST_F(VerifyTest, WhatIsWrittenStaysWritten) {
    for (const char* table : {"plan", "price", "ledger_transfer", "usage_event"}) {
        EXPECT_FALSE(run((std::string("DELETE FROM ") + table).c_str())) << table;
        const char* column = std::string_view(table) == "plan" ? "credit_limit" : "amount";
        const auto sql = std::string("UPDATE ") + table + " SET " + column + " = " + column + " + 1";
        EXPECT_FALSE(run(sql.c_str())) << sql;
    }
    EXPECT_FALSE(run("DELETE FROM ledger_balance"));
    EXPECT_FALSE(run("DELETE FROM reservation"));
    EXPECT_FALSE(run("UPDATE reservation SET state = 'pending'"));
    EXPECT_FALSE(run("UPDATE reservation SET state = 'voided' WHERE state = 'posted'"));
    EXPECT_FALSE(run("UPDATE reservation SET amount = 1, state = 'voided' WHERE state = 'pending'"));
    EXPECT_FALSE(
        run("INSERT INTO ledger_transfer SELECT 'tra_x', 'g', debit_account, credit_account, -5, currency, "
            "'x', 'x', 'x', NULL, 0 FROM ledger_transfer LIMIT 1"));
    EXPECT_FALSE(
        run("INSERT INTO ledger_transfer SELECT 'tra_x', 'g', debit_account, debit_account, 5, currency, "
            "'x', 'x', 'x', NULL, 0 FROM ledger_transfer LIMIT 1"));
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(VerifyTest, FindsAChangedTransfer) { tamper("UPDATE ledger_transfer SET amount = amount + 1"); }
TEST_F(VerifyTest, FindsALostTransfer) { tamper("DELETE FROM ledger_transfer WHERE amount = 200"); }
TEST_F(VerifyTest, FindsALostEvent) { tamper("DELETE FROM usage_event WHERE input_tokens = 20"); }
TEST_F(VerifyTest, FindsAChangedEvent) { tamper("UPDATE usage_event SET input_tokens = input_tokens + 1"); }
TEST_F(VerifyTest, FindsALostHold) { tamper("UPDATE ledger_balance SET pending_dr = 0 WHERE pending_dr > 0"); }
TEST_F(VerifyTest, FindsAChangedState) { tamper("UPDATE reservation SET state = 'voided' WHERE state = 'posted'"); }
TEST_F(VerifyTest, FindsAChangedBalance) {
    tamper("UPDATE ledger_balance SET posted_cr = posted_cr + 1, posted_dr = posted_dr + 1");
}
TEST_F(VerifyTest, FindsAForgedTransfer) {
    tamper(
        "INSERT INTO ledger_transfer SELECT 'tra_x', 'g', debit_account, credit_account, 5, currency, 'usage', "
        "'request', 'req_x', NULL, booked_at FROM ledger_transfer LIMIT 1");
}

TEST_F(VerifyTest, FindsAMissingGuard) {
    ASSERT_TRUE(run("DROP TRIGGER usage_event_no_delete"));
    const auto problems = verified().problems;
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_NE(problems.front().find("usage_event_no_delete"), std::string::npos) << problems.front();
}

TEST_F(VerifyTest, SaysWhichAccountAndHowFarOff) {
    ASSERT_TRUE(run("DROP TRIGGER ledger_transfer_no_update"));
    ASSERT_TRUE(run("UPDATE ledger_transfer SET amount = 999 WHERE amount = 200"));
    bool named = false;
    for (const auto& problem : verified().problems)
        named |= problem.find("acc_") != std::string::npos && problem.find("0.001999") != std::string::npos;
    EXPECT_TRUE(named);
}

}  // namespace
}  // namespace rootstock::ledger
