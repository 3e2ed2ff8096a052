#include "ledger/economics.h"

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class EconomicsTest : public Books {
protected:
    void pay(const TenantId& tenant, std::int64_t tokens, std::int64_t compute, std::string adapter = "intent@1") {
        auto done = answer(hold(tenant, tokens).value(), tokens, std::move(adapter));
        done.usage.compute_micros = compute;
        ASSERT_TRUE(write([&](store::Session& s) { return post(s, done, clock_.now()); }));
    }
    void train(const TenantId& tenant, std::string job, std::int64_t seconds) {
        ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
            book_work(s,
                      {"training", job, tenant, "minilm", "intent@1", AdapterId("ada_intent@1"), seconds * 1'000'000},
                      clock_.now());
            return {};
        }));
    }
    Result<Economics> report(const Period& period) {
        return database_->read([&](store::Session& s) { return economics(s, period); });
    }
};

TEST_F(EconomicsTest, MarginIsRevenueLessMeasuredCost) {
    open_books_of(beta_);
    pay(acme_, 1000, 36'000'000);          // 36 s at 0.10 USD an hour: 1,000 micro-units
    pay(beta_, 500, 3'600'000, "spam@1");  // 100 micro-units
    train(acme_, "job_1", 360);            // 10,000 micro-units
    train(acme_, "job_1", 360);            // booked once
    const auto report = this->report(november()).value();
    EXPECT_EQ(report.currency, "USD");
    ASSERT_EQ(report.by_tenant.size(), 2U);
    const auto& acme = report.by_tenant[0];
    EXPECT_EQ(acme.tenant, acme_);
    EXPECT_EQ(acme.revenue, Micros{20'000});
    EXPECT_EQ(acme.serving_cost, Micros{1'000});
    EXPECT_EQ(acme.training_cost, Micros{10'000});
    EXPECT_EQ(acme.margin, Micros{9'000});
    EXPECT_EQ(acme.training_micros, 360'000'000);
    EXPECT_EQ(report.by_tenant[1].margin, Micros{9'900});
    ASSERT_EQ(report.by_model.size(), 2U);
    EXPECT_EQ(report.by_model[1].adapter, "spam@1");
    EXPECT_EQ(report.total.margin, Micros{18'900});
    EXPECT_EQ(report.total.requests, 2);
}

TEST_F(EconomicsTest, AFailedRequestEarnsNothingAndCostsItsTime) {
    ASSERT_TRUE(give_up(hold(acme_, 100).value(), 36'000'000));
    const auto total = report(november())->total;
    EXPECT_EQ(total.revenue, Micros{0});
    EXPECT_EQ(total.serving_cost, Micros{1'000});
    EXPECT_EQ(total.margin, Micros{-1'000});
    EXPECT_EQ(total.requests, 0);
}

TEST_F(EconomicsTest, ANewMachinePriceLeavesThePastAlone) {
    pay(acme_, 1, 36'000'000);
    clock_.advance(1h);
    ASSERT_TRUE(write([&](store::Session& s) {
        return set_machine_price(s, {"USD", Micros{1'000'000}, clock_.now()});
    }));
    pay(acme_, 1, 36'000'000);
    EXPECT_EQ(report(november())->total.serving_cost, Micros{1'000 + 10'000});
    EXPECT_EQ(see([&](store::Session& s) { return machine_price(s, clock_.now()); }).per_hour, Micros{1'000'000});
    EXPECT_EQ(see([&](store::Session& s) { return machine_price(s, {0}); }).per_hour, Micros{100'000});
}

TEST_F(EconomicsTest, AdaptersOfOneNameAtTwoTenantsStayApart) {
    open_books_of(beta_);
    for (const auto& [tenant, id] : {std::pair{acme_, "ada_1"}, std::pair{beta_, "ada_2"}}) {
        auto done = answer(hold(tenant, 10).value(), 10);
        done.adapter_id = AdapterId(id);
        ASSERT_TRUE(write([&](store::Session& s) { return post(s, done, clock_.now()); }));
    }
    EXPECT_EQ(report(november())->by_model.size(), 2U);
}

TEST_F(EconomicsTest, CurrenciesAreNeverAddedUp) {
    const auto set = [&](const char* currency, std::int64_t price) {
        return write([&](store::Session& s) { return set_machine_price(s, {currency, Micros{price}, clock_.now()}); });
    };
    EXPECT_EQ(set("EUR", 90'000).error().code, ErrorCode::unsupported);
    EXPECT_FALSE(set("USD", -1));
    EXPECT_FALSE(set("GOLD", 1));
    ASSERT_TRUE(report(november()));
    add_plan("yen", 1'000'000'000, 500'000, "JPY");
    open_books_of(beta_, "yen");
    EXPECT_EQ(report(november()).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace rootstock::ledger
