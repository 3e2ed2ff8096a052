#include "ledger/statement.h"

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

TEST(PeriodTest, MonthsAreHalfOpenAndUtc) {
    const auto november = month("2026-11").value();
    EXPECT_EQ(to_iso8601(november.start), "2026-11-01T00:00:00Z");
    EXPECT_EQ(to_iso8601(november.end), "2026-12-01T00:00:00Z");
    EXPECT_EQ(month("2026-12")->end, month("2027-01")->start);
    EXPECT_EQ(to_iso8601(month("2028-02")->end), "2028-03-01T00:00:00Z");
    EXPECT_EQ(month("2028-02")->end.micros - month("2028-02")->start.micros, 29LL * 86'400'000'000);
    EXPECT_EQ(month_of(november.start).start, november.start);
    EXPECT_EQ(month_of({november.end.micros - 1}).start, november.start);
    EXPECT_EQ(month_of(november.end).start, november.end);
    EXPECT_EQ(month_name(november), "2026-11");
    for (const char* bad :
         {"", "2026", "2026-13", "2026-00", "2026/11", "26-11", "2026-1", "1969-12", "2026-111", "-026-11"})
        EXPECT_FALSE(month(bad)) << bad;
}

TEST(CurrencyTest, MinorUnits) {
    EXPECT_EQ(minor_decimals("USD").value(), 2);
    EXPECT_EQ(minor_decimals("JPY").value(), 0);
    EXPECT_EQ(minor_decimals("KWD").value(), 3);
    EXPECT_FALSE(minor_decimals("usd"));
    EXPECT_FALSE(minor_decimals("XXX"));
}

class StatementTest : public Books {
protected:
    void pay(const TenantId& tenant, std::int64_t tokens, std::string adapter = "intent@1") {
        ASSERT_TRUE(settle(hold(tenant, tokens).value(), tokens, std::move(adapter)));
    }
    Result<Statement> statement_of(const TenantId& tenant, const Period& period) {
        return database_->read([&](store::Session& session) { return statement(session, tenant, period); });
    }
};

TEST_F(StatementTest, LinesAddUpToTheLedger) {
    pay(acme_, 100);
    pay(acme_, 17);
    pay(acme_, 3, "");
    pay(acme_, 1000, "spam@2");
    const auto bill = statement_of(acme_, november()).value();
    ASSERT_EQ(bill.lines.size(), 3U);
    EXPECT_EQ(bill.lines[0].adapter, "");
    EXPECT_EQ(bill.lines[1].adapter, "intent@1");
    EXPECT_EQ(bill.lines[1].requests, 2);
    EXPECT_EQ(bill.lines[1].input_tokens, 117);
    EXPECT_EQ(bill.lines[1].amount, Micros{2340});
    EXPECT_EQ(bill.total, Micros{22'400});
    EXPECT_EQ(bill.rounded, "0.02");
    EXPECT_EQ(bill.total, balance_of(acme_).owed);
}

TEST_F(StatementTest, EachTenantAndMonthIsItsOwn) {
    open_books_of(beta_);
    clock_ = ManualClock{{november().end.micros - 1}};
    pay(acme_, 10);
    pay(beta_, 20);
    clock_.advance(1us);
    pay(acme_, 40);
    EXPECT_EQ(statement_of(acme_, november())->total, Micros{200});
    EXPECT_EQ(statement_of(beta_, november())->total, Micros{400});
    EXPECT_EQ(statement_of(acme_, month("2026-12").value())->total, Micros{800});
    EXPECT_EQ(statement_of(acme_, month("2026-10").value())->rounded, "0.00");
    EXPECT_EQ(statement_of(TenantId("ten_none"), november()).error().reason, "no_books");
}

// 7 micro-units per 1,000 tokens: each request is rounded to a micro-unit once, and the total to the cent once.
TEST_F(StatementTest, RoundsOnceToTheMinorUnit) {
    add_plan("odd", 1'000'000'000, 333'333);
    open_books_of(beta_, "odd");
    for (int i = 0; i < 3; ++i) pay(beta_, 5);  // 1666.665 -> 1667 each
    EXPECT_EQ(statement_of(beta_, november())->total, Micros{5001});
    EXPECT_EQ(statement_of(beta_, november())->rounded, "0.01");
    add_plan("yen", 1'000'000'000, 500'000, "JPY");
    const TenantId kyoto("ten_kyoto");
    open_books_of(kyoto, "yen");
    pay(kyoto, 1000);
    EXPECT_EQ(statement_of(kyoto, november())->rounded, "1") << "half away from zero, no decimals";
}

TEST_F(StatementTest, UsageIsCountedByDay) {
    pay(acme_, 100);
    clock_.advance(24h);
    pay(acme_, 50);
    pay(acme_, 50);
    const auto lines = see([&](store::Session& session) { return usage(session, acme_, november()); });
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].day, "2026-11-18");
    EXPECT_EQ(lines[1].day, "2026-11-19");
    EXPECT_EQ(lines[1].requests, 2);
    EXPECT_EQ(lines[1].input_tokens, 100);
    EXPECT_EQ(lines[1].compute_micros, 3000);
}

TEST_F(StatementTest, NoStatementFromBooksThatDisagree) {
    pay(acme_, 100);
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        s.execute("DROP TRIGGER usage_event_no_update");
        s.execute("UPDATE usage_event SET amount = amount + 1");
        return {};
    }));
    EXPECT_EQ(statement_of(acme_, november()).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace rootstock::ledger
