// kill -9 at any moment: what was acknowledged is in the books exactly once, nothing is there by half.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

constexpr int cycles = 12;
constexpr int customers = 8;

class Crash : public Books {
protected:
    // A server in small: eight customers reserve and post without pause; each acknowledged request is told to `pipe`.
    [[noreturn]] void serve(int pipe, int run) {
        open();
        if (::write(pipe, "open\n", 5) != 5) ::_exit(1);
        const std::string owner = "run_" + std::to_string(run);
        std::vector<std::thread> threads;
        for (int i = 0; i < customers; ++i)
            threads.emplace_back([&] {
                while (true) {
                    const auto request = hold(acme_, 20, owner);
                    if (!request || !settle(*request, 7)) continue;
                    const std::string line = request->text() + "\n";
                    if (::write(pipe, line.data(), line.size()) < 0) ::_exit(1);
                }
            });
        for (auto& thread : threads) thread.join();
        ::_exit(0);
    }

    std::vector<std::string> serve_until_killed(int run, std::chrono::microseconds life) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        database_.reset();  // the child opens its own
        const pid_t child = ::fork();
        if (child == 0) serve(ends[1], run);
        ::close(ends[1]);
        char opened[5];  // its life is counted from here: a server's database takes longer to open
        EXPECT_EQ(::read(ends[0], opened, sizeof opened), ssize_t{sizeof opened});
        std::string told = read_for(ends[0], life);
        ::kill(child, SIGKILL);
        told += read_for(ends[0], std::chrono::seconds(10));
        ::waitpid(child, nullptr, 0);
        ::close(ends[0]);
        std::vector<std::string> requests;
        for (std::size_t at = 0, end; (end = told.find('\n', at)) != std::string::npos; at = end + 1)
            requests.push_back(told.substr(at, end - at));
        return requests;
    }

    // Reads until the time is over or the other end is gone.
    static std::string read_for(int end, std::chrono::microseconds time) {
        const auto until = std::chrono::steady_clock::now() + time;
        std::string all;
        char buffer[65536];
        while (std::chrono::steady_clock::now() < until) {
            fd_set ready;
            FD_ZERO(&ready);
            FD_SET(end, &ready);
            timeval rest{0, 1000};
            if (::select(end + 1, &ready, nullptr, nullptr, &rest) <= 0) continue;
            const auto count = ::read(end, buffer, sizeof buffer);
            if (count <= 0) break;
            all.append(buffer, static_cast<std::size_t>(count));
        }
        return all;
    }

    std::int64_t events_of(const std::string& request) {
        return see([&](store::Session& session) {
            return session.value<std::int64_t>(
                "SELECT COUNT(*) FROM usage_event u JOIN ledger_transfer t ON t.id = u.transfer_id AND t.amount = 140 "
                "WHERE u.tenant_id = :tenant AND u.source = 'server' AND u.event_id = :request",
                acme_, request);
        });
    }
};

TEST_F(Crash, NothingAcknowledgedIsLostOrDoubled) {
    std::mt19937 random(20261123);
    std::size_t acknowledged = 0;
    add_plan("default", 1'000'000'000'000, 20'000);
    ASSERT_TRUE(write([&](store::Session& s) { return set_plan(s, acme_, "default", clock_.now()); }));
    for (int cycle = 0; cycle < cycles; ++cycle) {
        // Each statement goes to a server there and comes back: a life of the same number of requests is longer.
        const int slower = store::TestStore::on_postgres() ? 10 : 1;
        const auto life = slower * std::chrono::microseconds(20'000 + random() % 80'000);
        const auto requests = serve_until_killed(cycle, life);
        open();
        ASSERT_TRUE(write(
            [&](store::Session& s) -> Result<std::int64_t> { return void_abandoned(s, "run_new", clock_.now()); }));
        for (const auto& request : requests) ASSERT_EQ(events_of(request), 1) << request;
        acknowledged += requests.size();
        const auto books = verified();
        ASSERT_TRUE(books.problems.empty()) << books.problems.front();
        ASSERT_EQ(books.open_reservations, 0);
        ASSERT_GE(books.transfers, static_cast<std::int64_t>(acknowledged));
        ASSERT_EQ(balance_of(acme_).owed.value, books.transfers * 140);
    }
    EXPECT_GT(acknowledged, 0U);
}

}  // namespace
}  // namespace rootstock::ledger
