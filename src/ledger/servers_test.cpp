// Several servers on one set of books: the dead one's holds are let go, a living one's never.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <latch>

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

class Servers : public Books {
protected:
    std::int64_t begin(const std::string& run, const std::string& place) {
        return write([&](store::Session& session) -> Result<std::int64_t> {
                   return begin_run(session, run, place, clock_.now());
               })
            .value();
    }
    void keep(const std::string& run) {
        ASSERT_TRUE(write([&](store::Session& session) -> Result<void> {
            keep_run(session, run, clock_.now());
            return {};
        }));
    }
    std::int64_t recover(const std::string& run) {
        return write([&](store::Session& session) -> Result<std::int64_t> {
                   return settle_abandoned(session, run, clock_.now()) + void_abandoned(session, run, clock_.now());
               })
            .value();
    }
};

TEST_F(Servers, ALivingOnesHoldsAreLeftAlone) {
    EXPECT_EQ(begin("run_1", "one:/home"), 0);
    ASSERT_TRUE(hold(acme_, 10, "run_1"));
    EXPECT_EQ(begin("run_2", "two:/home"), 1);
    EXPECT_EQ(recover("run_2"), 0);
    clock_.advance(run_lease - std::chrono::seconds(1));
    keep("run_1");
    clock_.advance(std::chrono::seconds(5));
    EXPECT_EQ(recover("run_2"), 0) << "it renewed its lease";
    clock_.advance(run_lease);
    EXPECT_EQ(recover("run_2"), 1) << "it has not been heard of since";
    EXPECT_EQ(open_now().count, 0);
}

TEST_F(Servers, AnEarlierRunOfTheSamePlaceIsDeadAtOnce) {
    begin("run_1", "one:/home");
    ASSERT_TRUE(hold(acme_, 10, "run_1"));
    EXPECT_EQ(begin("run_2", "one:/home"), 0);
    EXPECT_EQ(recover("run_2"), 1);
    EXPECT_EQ(open_now().count, 0);
}

// Two servers in small, as processes of their own on one store. Each gets 500 one-unit requests at once, of a tenant
// whose balance is 100: reserves each, and posts what was admitted. ROOTSTOCK_REPETITIONS=1000 for the whole figure.
class TwoServers : public Servers {
protected:
    struct Outcome {
        int admitted = 0, refused = 0, other = 0;
    };
    struct Child {
        pid_t process = 0;
        int orders = -1, answers = -1;
    };

    Outcome storm(const TenantId& tenant) {
        constexpr int count = 500;
        std::atomic<int> admitted = 0, refused = 0, other = 0;
        std::latch done(count);
        for (int i = 0; i < count; ++i) {
            const auto request = order(tenant, 1);
            database_->write_value(
                [this, request](store::Session& session) { return reserve(session, request, clock_.now()); },
                [&, request](const Result<Hold>& held) {
                    if (!held) {
                        ++(held.error().code == ErrorCode::insufficient_quota ? refused : other);
                        return done.count_down();
                    }
                    database_->write_value(
                        [this, request](store::Session& session) {
                            return post(session, answer(request.request, 1), clock_.now());
                        },
                        [&](const Result<Charge>& charge) {
                            ++(charge ? admitted : other);
                            done.count_down();
                        });
                });
        }
        done.wait();
        return {admitted, refused, other};
    }

    [[noreturn]] void serve(int orders, int answers) {
        open();
        int repetition = 0;
        while (::read(orders, &repetition, sizeof repetition) == sizeof repetition) {
            const Outcome outcome = storm(tenant_of(repetition));
            if (::write(answers, &outcome, sizeof outcome) != sizeof outcome) ::_exit(1);
        }
        ::_exit(0);
    }

    Child start() {
        std::array<int, 2> down{}, up{};
        EXPECT_EQ(::pipe(down.data()) + ::pipe(up.data()), 0);
        const pid_t process = ::fork();
        if (process == 0) {
            ::close(down[1]);
            serve(down[0], up[1]);
        }
        ::close(down[0]);
        ::close(up[1]);
        return {process, down[1], up[0]};
    }

    static TenantId tenant_of(int repetition) { return TenantId("ten_" + std::to_string(repetition)); }
};

TEST_F(TwoServers, AdmitExactlyWhatTheBalanceCovers) {
    const char* wished = std::getenv("ROOTSTOCK_REPETITIONS");
    const int repetitions = wished != nullptr ? std::atoi(wished) : 5;
    add_plan("hundred", 100);
    for (int i = 0; i < repetitions; ++i) open_books_of(tenant_of(i), "hundred");
    database_.reset();  // the children open their own
    std::array<Child, 2> children{};
    for (Child& child : children) child = start();
    for (int i = 0; i < repetitions; ++i) {
        for (const Child& child : children) ASSERT_EQ(::write(child.orders, &i, sizeof i), ssize_t{sizeof i});
        Outcome sum;
        for (const Child& child : children) {
            Outcome outcome;
            ASSERT_EQ(::read(child.answers, &outcome, sizeof outcome), ssize_t{sizeof outcome});
            sum.admitted += outcome.admitted;
            sum.refused += outcome.refused;
            sum.other += outcome.other;
        }
        ASSERT_EQ(sum.admitted, 100) << "repetition " << i;
        ASSERT_EQ(sum.refused, 900) << "repetition " << i;
        ASSERT_EQ(sum.other, 0) << "repetition " << i;
    }
    for (const Child& child : children) ::kill(child.process, SIGKILL);
    for (const Child& child : children) ::waitpid(child.process, nullptr, 0);
    open();
    EXPECT_EQ(open_now().count, 0);
    EXPECT_EQ(open_now().amount.value, 0);
    const auto books = verified();
    EXPECT_TRUE(books.problems.empty()) << books.problems.front();
    EXPECT_EQ(books.transfers, 100 * repetitions);
}

}  // namespace
}  // namespace rootstock::ledger
