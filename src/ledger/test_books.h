#pragma once
// Books in a folder of their own for one test: one tenant, a clock in the test's hand, the ways a request goes.

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "ledger/ledger.h"
#include "outbox/outbox.h"
#include "store/test_store.h"

namespace rootstock::ledger {

// The ledger's tables, and those it announces into.
inline std::vector<store::Migration> all_migrations() {
    auto all = migrations();
    for (auto& migration : outbox::migrations()) all.push_back(std::move(migration));
    return all;
}

class Books : public ::testing::Test {
protected:
    Books() {
        open();
        open_books_of(acme_);
    }
    void open() {
        database_.reset();
        database_ = std::move(store::Database::open(store_.where(), all_migrations()).value());
    }

    template <typename F>
    auto write(F work) {
        return database_->write_now(std::move(work));
    }
    template <typename F>
    auto see(F work) {  // a read whose work returns a plain value
        using T = std::invoke_result_t<F&, store::Session&>;
        return database_->read([&](store::Session& session) -> Result<T> { return work(session); }).value();
    }

    void open_books_of(const TenantId& tenant, std::string_view plan = default_plan) {
        auto opened = write([&](store::Session& session) { return open_books(session, tenant, plan, clock_.now()); });
        ASSERT_TRUE(opened) << opened.error().message;
    }

    // A plan of one micro-unit a token with a limit in micro-units.
    void add_plan(const std::string& code, std::int64_t limit, std::int64_t price = 1000,
                  std::string currency = "USD") {
        auto added = write([&](store::Session& session) {
            return add_plan_version(
                session, {code, 0, currency, Micros{limit}, {unit_price("input_tokens", "", Micros{price}, 1000)}},
                clock_.now());
        });
        ASSERT_TRUE(added) << added.error().message;
    }

    ReserveRequest order(const TenantId& tenant, std::int64_t tokens, std::string owner = "run_1") {
        return {mint<RequestTag>(clock_.now()),
                tenant,
                ApiKeyId("key_1"),
                "minilm",
                tokens,
                Timestamp{clock_.now().micros + 60'000'000},
                std::move(owner)};
    }
    Result<RequestId> hold(const TenantId& tenant, std::int64_t tokens, std::string owner = "run_1") {
        const auto request = order(tenant, tokens, std::move(owner));
        auto held = write([&](store::Session& session) { return reserve(session, request, clock_.now()); });
        if (!held) return fail(held.error());
        return request.request;
    }
    Settlement answer(const RequestId& request, std::int64_t tokens, std::string adapter = "intent@1") {
        return {request, "classify", "minilm", adapter, {tokens, 1, 1500}, AdapterId("ada_" + adapter)};
    }
    Result<Charge> settle(const RequestId& request, std::int64_t tokens, std::string adapter = "intent@1") {
        return write(
            [&](store::Session& session) { return post(session, answer(request, tokens, adapter), clock_.now()); });
    }
    Result<void> give_up(const RequestId& request, std::int64_t compute = 0) {
        return write(
            [&](store::Session& session) { return void_reservation(session, request, compute, clock_.now()); });
    }
    Balance balance_of(const TenantId& tenant) {
        return database_->read([&](store::Session& session) { return balance(session, tenant); }).value();
    }
    Verification verified() {
        return see([](store::Session& session) { return verify(session); });
    }
    Open open_now() {
        return see([](store::Session& session) { return open_reservations(session); });
    }
    Period november() const { return month("2026-11").value(); }

    store::TestStore store_;
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};  // 2026-11-18
    std::unique_ptr<store::Database> database_;
    const TenantId acme_{"ten_acme"}, beta_{"ten_beta"};
};

}  // namespace rootstock::ledger
