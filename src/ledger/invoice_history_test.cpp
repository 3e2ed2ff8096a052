// Random histories of drafts, bills, payments, credits and voids, and kill -9 in the middle of them: the books balance,
// numbers have no gap, and no credit passes its invoice.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "ledger/test_invoices.h"

namespace rootstock::ledger {
namespace {

class InvoiceHistory : public Invoicing {
protected:
    void expect_gapless(const char* table) {
        const auto [count, distinct, last] = see([&](store::Session& session) {
            return *session.first<std::int64_t, std::int64_t, std::int64_t>(
                std::string("SELECT COUNT(*), COUNT(DISTINCT number), COALESCE(MAX(number), 0) FROM ") + table +
                " WHERE number > 0");
        });
        EXPECT_EQ(count, last) << table;
        EXPECT_EQ(distinct, last) << table;
    }
    void expect_in_order() {
        expect_gapless("invoice");
        expect_gapless("credit_note");
        expect_books_in_order();
        EXPECT_EQ(see([](store::Session& session) {
                      return session.value<std::int64_t>(
                          "SELECT COUNT(*) FROM invoice i JOIN (SELECT invoice_id, SUM(amount) AS amount, SUM(tax) AS "
                          "tax FROM credit_note GROUP BY invoice_id) n ON n.invoice_id = i.id WHERE n.amount > "
                          "i.subtotal OR n.tax > i.tax");
                  }),
                  0);
    }
};

TEST_F(InvoiceHistory, WhateverHappensTheBooksBalance) {
    const auto seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    const auto up_to = [&](std::int64_t bound) {
        return static_cast<std::int64_t>(random() % static_cast<unsigned>(bound));
    };
    tax(acme_, 1 + up_to(2500), random() % 2 == 0);
    std::vector<InvoiceId> ids;
    for (int step = 0; step < 500; ++step) {
        clock_.advance(std::chrono::minutes(1));
        const auto id = ids.empty() ? InvoiceId() : ids[random() % ids.size()];
        const auto ref = "bank " + std::to_string(step);
        switch (random() % 8) {
            case 0:
            case 1: {
                std::vector<ChargeLine> lines;
                for (std::int64_t i = 0; i <= up_to(5); ++i) lines.push_back(line(up_to(100'000) - 20'000));
                ids.push_back(drafted(acme_, lines).value().id);
                break;
            }
            case 2:
                (void)finalized(id);
                break;
            case 3:
                (void)paid(id, 1 + up_to(150'000), ref);
                break;
            case 4:
                (void)credited(id, {{1 + up_to(3), 1 + up_to(40'000)}});
                break;
            case 5:
                (void)credited(id, {}, random() % 2 == 0 ? "refund" : "");
                break;
            case 6:
                (void)voided(id);
                break;
            default:
                (void)given_up(id);
        }
    }
    expect_in_order();
    for (const auto& id : ids) {
        const auto invoice = seen(id);
        EXPECT_GE(invoice.left(), 0);
        if (invoice.status == InvoiceStatus::paid) {
            EXPECT_EQ(invoice.left(), 0);
        }
    }
}

class InvoiceCrash : public InvoiceHistory {
protected:
    // Four people who bill without pause, each invoice told to `pipe` once it is durable.
    [[noreturn]] void bill_without_end(int pipe) {
        open();
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                while (true) {
                    const auto drafted_one = drafted(acme_, {line(1000)});
                    if (!drafted_one) continue;
                    const auto bill = finalized(drafted_one->id);
                    if (!bill) continue;
                    const std::string told = bill->id.text() + " " + std::to_string(bill->number) + "\n";
                    if (::write(pipe, told.data(), told.size()) < 0) ::_exit(1);
                }
            });
        for (auto& thread : threads) thread.join();
        ::_exit(0);
    }

    std::string bill_until_killed(std::chrono::microseconds life) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        database_.reset();
        const pid_t child = ::fork();
        if (child == 0) bill_without_end(ends[1]);
        ::close(ends[1]);
        std::string told;
        char buffer[65536];
        const auto listen = [&] {
            const auto count = ::read(ends[0], buffer, sizeof buffer);
            if (count > 0) told.append(buffer, static_cast<std::size_t>(count));
            return count > 0;
        };
        EXPECT_TRUE(listen());  // at least one bill was acknowledged, however slow the machine is
        std::this_thread::sleep_for(life);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (listen()) {
        }
        ::close(ends[0]);
        return told;
    }
};

TEST_F(InvoiceCrash, NumbersStayGaplessAfterKill) {
    const auto seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    std::int64_t acknowledged = 0;
    for (int cycle = 0; cycle < 12; ++cycle) {
        const auto told = bill_until_killed(std::chrono::microseconds(30'000 + random() % 80'000));
        open();
        expect_in_order();
        for (std::size_t at = 0, end; (end = told.find('\n', at)) != std::string::npos; at = end + 1) {
            const auto space = told.find(' ', at);
            const InvoiceId id(told.substr(at, space - at));
            ASSERT_EQ(std::to_string(seen(id).number), told.substr(space + 1, end - space - 1)) << "seed " << seed;
            ++acknowledged;
        }
    }
    EXPECT_GT(acknowledged, 0);
}

}  // namespace
}  // namespace rootstock::ledger
