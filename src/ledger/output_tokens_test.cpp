// What a language model writes: two prices in one hold, marks on the way, and what a dead server leaves behind.

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

class OutputTokens : public Books {
protected:
    Result<RequestId> begin(std::int64_t prompt, std::int64_t most, std::string owner = "run_1") {
        auto request = order(acme_, prompt, std::move(owner));
        request.output_tokens_max = most;
        request.operation = "chat";
        auto held = write([&](store::Session& session) { return reserve(session, request, clock_.now()); });
        if (!held) return fail(held.error());
        return request.request;
    }
    Result<Charge> end(const RequestId& request, std::int64_t prompt, std::int64_t written) {
        const Settlement settlement{request, "chat", "minilm", "", {prompt, 1, 10, written, 2}, {}, "stop"};
        return write([&](store::Session& session) { return post(session, settlement, clock_.now()); });
    }
    void mark(const RequestId& request, std::int64_t written) {
        auto marked = write([&](store::Session& session) -> Result<void> {
            mark_progress(session, request, written);
            return {};
        });
        ASSERT_TRUE(marked) << marked.error().message;
    }
    std::int64_t settle_dead() {
        return write([&](store::Session& session) -> Result<std::int64_t> {
                   return settle_abandoned(session, "run_now", clock_.now());
               })
            .value();
    }
    std::int64_t void_dead() {
        return write([&](store::Session& session) -> Result<std::int64_t> {
                   return void_abandoned(session, "run_now", clock_.now());
               })
            .value();
    }
};

// 0.02 USD per 1,000 in, 0.06 USD per 1,000 out: 20 and 60 micro-units a token.
TEST_F(OutputTokens, BothPricesAreHeldAndThenChargedForWhatWasUsed) {
    const auto request = begin(100, 50).value();
    EXPECT_EQ(open_now().amount, Micros{100 * 20 + 50 * 60});
    EXPECT_EQ(end(request, 100, 7).value().amount, Micros{100 * 20 + 7 * 60});
    const auto lines = see([&](store::Session& session) { return usage(session, acme_, november()); });
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].input_tokens, 100);
    EXPECT_EQ(lines[0].output_tokens, 7);
    EXPECT_EQ(lines[0].amount, Micros{2'420});
    EXPECT_EQ(open_now().count, 0);
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(OutputTokens, MoreThanWasHeldIsOurFaultAndBooksNothing) {
    const auto request = begin(100, 50).value();
    EXPECT_EQ(end(request, 100, 51).error().reason, "above_hold");
    EXPECT_EQ(end(request, 101, 50).error().reason, "above_hold");
    EXPECT_EQ(verified().transfers, 0);
    EXPECT_TRUE(end(request, 100, 50));
}

TEST_F(OutputTokens, AModelsOwnPriceComesBeforeTheGeneralOne) {
    auto added = write([&](store::Session& session) {
        return add_plan_version(
            session,
            {"own",
             0,
             "USD",
             Micros{1'000'000},
             {unit_price("input_tokens", "", Micros{1000}, 1000), unit_price("output_tokens", "", Micros{2000}, 1000),
              unit_price("output_tokens", "minilm", Micros{5000}, 1000)}},
            clock_.now());
    });
    ASSERT_TRUE(added);
    ASSERT_TRUE(write([&](store::Session& s) { return set_plan(s, acme_, "own", clock_.now()); }));
    EXPECT_EQ(end(begin(10, 10).value(), 10, 4).value().amount, Micros{10 + 20});
}

TEST_F(OutputTokens, APlanWithoutThePriceSaysSo) {
    add_plan("reading", 1'000'000);
    ASSERT_TRUE(write([&](store::Session& s) { return set_plan(s, acme_, "reading", clock_.now()); }));
    const auto refused = begin(10, 10);
    EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
    EXPECT_EQ(refused.error().reason, "no_price");
    EXPECT_TRUE(hold(acme_, 10));  // what it has a price for goes on
}

TEST_F(OutputTokens, TheDeadAreSettledAtTheirLastMarkAndTheUnmarkedAreFree) {
    const auto marked = begin(100, 50, "run_dead").value();
    const auto unmarked = begin(100, 50, "run_dead").value(), mine = begin(100, 50, "run_now").value();
    mark(marked, 16);
    mark(marked, 32);
    mark(marked, 20);  // late and behind: overlooked
    mark(mine, 8);
    EXPECT_EQ(settle_dead(), 1);
    EXPECT_EQ(void_dead(), 1);
    EXPECT_EQ(balance_of(acme_).owed, Micros{100 * 20 + 32 * 60});
    EXPECT_EQ(end(marked, 100, 50).value().amount, Micros{100 * 20 + 32 * 60});  // settled: nothing is booked twice
    EXPECT_EQ(end(unmarked, 100, 5).error().reason, "voided");
    EXPECT_TRUE(end(mine, 100, 9));
    const auto row = see([](store::Session& session) {
        return *session.first<std::string, bool>(
            "SELECT finish_reason, partial FROM usage_event WHERE output_tokens = 32");
    });
    EXPECT_EQ(row, std::make_tuple(std::string("server_gone"), true));
    EXPECT_EQ(open_now().count, 0);
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(OutputTokens, AMarkChangesNothingButItself) {
    const auto request = begin(10, 10).value();
    ASSERT_TRUE(end(request, 10, 3));
    mark(request, 9);  // settled already
    EXPECT_EQ(balance_of(acme_).owed, Micros{10 * 20 + 3 * 60});
    const auto changed = write([&](store::Session& session) -> Result<void> {
        session.execute("UPDATE reservation SET amount = 1 WHERE request_id = :request", request);
        return {};
    });
    EXPECT_FALSE(changed);
}

}  // namespace
}  // namespace rootstock::ledger
