// Rows of tables: a meter of their own, held and charged by the row.

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

class Rows : public Books {
protected:
    Result<RequestId> begin(std::int64_t rows) {
        auto request = order(acme_, rows);
        request.meter = rows_meter;
        auto held = write([&](store::Session& session) { return reserve(session, request, clock_.now()); });
        if (!held) return fail(held.error());
        return request.request;
    }
    Result<Charge> end(const RequestId& request, std::int64_t rows) {
        const Settlement settlement{request, "score", "credit", "credit@1", {.rows = rows, .compute_micros = 10}};
        return write([&](store::Session& session) { return post(session, settlement, clock_.now()); });
    }
};

// 0.10 USD per 1,000 rows: 100 micro-units a row.
TEST_F(Rows, AreHeldAndChargedAtTheirPrice) {
    const auto request = begin(12).value();
    EXPECT_EQ(open_now().amount, Micros{1200});
    EXPECT_EQ(end(request, 12).value().amount, Micros{1200});
    const auto bill = see([&](store::Session& session) { return statement(session, acme_, november()).value(); });
    ASSERT_EQ(bill.lines.size(), 1U);
    EXPECT_EQ(bill.lines[0].rows, 12);
    EXPECT_EQ(bill.lines[0].input_tokens, 0);
    EXPECT_EQ(bill.total, Micros{1200});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Rows, MoreThanWereHeldIsOurFaultAndBooksNothing) {
    const auto request = begin(3).value();
    EXPECT_EQ(end(request, 4).error().reason, "above_hold");
    EXPECT_EQ(verified().transfers, 0);
    EXPECT_TRUE(end(request, 3));
}

TEST_F(Rows, APlanWithoutTheirPriceSaysSo) {
    add_plan("tokens", 1'000'000);
    ASSERT_TRUE(write([&](store::Session& s) { return set_plan(s, acme_, "tokens", clock_.now()); }));
    const auto refused = begin(1);
    EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
    EXPECT_EQ(refused.error().reason, "no_price");
}

}  // namespace
}  // namespace rootstock::ledger
