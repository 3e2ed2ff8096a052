#include "ledger/reservation.h"

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class Reservation : public Books {};

TEST_F(Reservation, HoldsTheMostAndChargesTheTrueUse) {
    const auto request = hold(acme_, 1000).value();
    EXPECT_EQ(balance_of(acme_).held, Micros{20'000});
    const auto charge = settle(request, 250).value();
    EXPECT_EQ(charge.amount, Micros{5'000});
    EXPECT_FALSE(charge.transfer.empty());
    EXPECT_EQ(balance_of(acme_).owed, Micros{5'000});
    EXPECT_EQ(balance_of(acme_).held, Micros{0});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Reservation, WithoutBooksThereIsNothing) {
    EXPECT_EQ(hold(beta_, 1).error().reason, "no_books");
    EXPECT_EQ(settle(RequestId("req_unknown"), 1).error().code, ErrorCode::not_found);
    EXPECT_EQ(give_up(RequestId("req_unknown")).error().code, ErrorCode::not_found);
}

TEST_F(Reservation, TheLimitIsHard) {
    add_plan("small", 100);
    open_books_of(beta_, "small");
    const auto first = hold(beta_, 60).value();
    const auto refused = hold(beta_, 41);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
    EXPECT_EQ(balance_of(beta_).held, Micros{60}) << "a refusal holds nothing";
    ASSERT_TRUE(hold(beta_, 40));
    ASSERT_TRUE(settle(first, 10));
    EXPECT_TRUE(hold(beta_, 50)) << "what was not used is free again";
    EXPECT_FALSE(hold(beta_, 1));
}

TEST_F(Reservation, OneRequestIsReservedOnce) {
    const auto request = order(acme_, 10);
    const auto reserve_it = [&] {
        return write([&](store::Session& session) { return reserve(session, request, clock_.now()); });
    };
    ASSERT_TRUE(reserve_it());
    EXPECT_EQ(reserve_it().error().reason, "request_seen");
    EXPECT_EQ(balance_of(acme_).held, Micros{200});
}

TEST_F(Reservation, PostingAgainChangesNothing) {
    const auto request = hold(acme_, 100).value();
    const auto first = settle(request, 50).value(), second = settle(request, 50).value();
    EXPECT_FALSE(first.repeated);
    EXPECT_TRUE(second.repeated);
    EXPECT_EQ(second.transfer, first.transfer);
    EXPECT_EQ(second.amount, first.amount);
    EXPECT_EQ(verified().transfers, 1);
}

// The state machine, every step from every state.
TEST_F(Reservation, FinalStatesAreFinal) {
    const auto posted = hold(acme_, 10).value(), voided = hold(acme_, 10).value();
    ASSERT_TRUE(settle(posted, 10));
    ASSERT_TRUE(give_up(voided));
    EXPECT_EQ(give_up(posted).error().reason, "posted");
    EXPECT_EQ(settle(voided, 10).error().reason, "voided");
    EXPECT_TRUE(give_up(voided)) << "voiding twice is fine";
    const auto expired = hold(acme_, 10).value();
    clock_.advance(60s);
    EXPECT_EQ(write([&](store::Session& s) -> Result<std::int64_t> { return expire_overdue(s, clock_.now()); }).value(),
              1);
    EXPECT_TRUE(give_up(expired));
    EXPECT_EQ(open_now().count, 0);
    EXPECT_EQ(balance_of(acme_).held, Micros{0});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Reservation, ALateAnswerIsAdmittedAnew) {
    add_plan("small", 100);
    open_books_of(beta_, "small");
    const auto late = hold(beta_, 60).value(), later = hold(beta_, 40).value();
    clock_.advance(61s);
    ASSERT_TRUE(write([&](store::Session& s) -> Result<std::int64_t> { return expire_overdue(s, clock_.now()); }));
    ASSERT_TRUE(hold(beta_, 50));
    const auto charge = settle(late, 30).value();
    EXPECT_TRUE(charge.late);
    EXPECT_EQ(settle(late, 30).value().repeated, true);
    EXPECT_EQ(settle(later, 40).error().code, ErrorCode::insufficient_quota);
    EXPECT_EQ(balance_of(beta_).owed, Micros{30});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Reservation, MoreThanWasHeldIsOurFaultAndBooksNothing) {
    const auto request = hold(acme_, 10).value();
    EXPECT_EQ(settle(request, 11).error().reason, "above_hold");
    EXPECT_EQ(verified().transfers, 0);
    EXPECT_TRUE(settle(request, 10));
}

TEST_F(Reservation, AFreeAnswerHasNoTransfer) {
    add_plan("gift", 0, 0);
    open_books_of(beta_, "gift");
    const auto charge = settle(hold(beta_, 10).value(), 10).value();
    EXPECT_EQ(charge.amount, Micros{0});
    EXPECT_TRUE(charge.transfer.empty());
    EXPECT_EQ(verified().usage_events, 1);
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Reservation, ThePriceOfTheHoldIsThePriceOfTheCharge) {
    const auto request = hold(acme_, 100).value();
    add_plan("default", 100'000'000, 50'000);
    ASSERT_TRUE(write([&](store::Session& s) { return set_plan(s, acme_, "default", clock_.now()); }));
    EXPECT_EQ(settle(request, 100).value().amount, Micros{2'000});
    EXPECT_EQ(settle(hold(acme_, 100).value(), 100).value().amount, Micros{5'000});
    EXPECT_EQ(balance_of(acme_).plan, "default v2");
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(Reservation, TheDeadLeaveNothingBehind) {
    const auto open_one = hold(acme_, 10, "run_dead").value(), posted = hold(acme_, 10, "run_dead").value();
    const auto mine = hold(acme_, 10, "run_now").value();
    ASSERT_TRUE(settle(posted, 7));
    const auto voided =
        write([&](store::Session& s) -> Result<std::int64_t> { return void_abandoned(s, "run_now", clock_.now()); });
    EXPECT_EQ(voided.value(), 1);
    EXPECT_EQ(settle(open_one, 7).error().reason, "voided");
    EXPECT_TRUE(settle(mine, 7));
    EXPECT_EQ(balance_of(acme_).owed, Micros{280});
    EXPECT_EQ(open_now().count, 0);
    EXPECT_TRUE(verified().problems.empty());
}

// litellm#34732: budgets passed by requests that run at the same time.
TEST_F(Reservation, ThousandAtOnceNeverPassTheLimit) {
    add_plan("hundred", 100);
    open_books_of(beta_, "hundred");
    std::atomic<int> admitted = 0, refused = 0, other = 0;
    std::latch done(1000), start(1);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            start.wait();
            for (int i = 0; i < 125; ++i) {
                const auto request = order(beta_, 1);
                database_->write_value(
                    [request, now = clock_.now()](store::Session& s) { return reserve(s, request, now); },
                    [&](Result<Hold> held) {
                        if (held)
                            ++admitted;
                        else if (held.error().code == ErrorCode::insufficient_quota)
                            ++refused;
                        else
                            ++other;
                        done.count_down();
                    });
            }
        });
    start.count_down();
    for (auto& thread : threads) thread.join();
    done.wait();
    EXPECT_EQ(admitted, 100);
    EXPECT_EQ(refused, 900);
    EXPECT_EQ(other, 0);
    ASSERT_TRUE(
        write([&](store::Session& s) -> Result<std::int64_t> { return void_abandoned(s, "other", clock_.now()); }));
    EXPECT_EQ(open_now().count, 0);
    EXPECT_EQ(open_now().amount, Micros{0});
    EXPECT_EQ(balance_of(beta_).held, Micros{0});
}

}  // namespace
}  // namespace rootstock::ledger
