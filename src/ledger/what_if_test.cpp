#include "ledger/what_if.h"

#include "ledger/economics.h"
#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

class WhatIfs : public Books {
protected:
    void use(const TenantId& tenant, std::int64_t micros, const std::string& operation = "classify") {
        auto done = answer(hold(tenant, 10).value(), 10);
        done.operation = operation;
        done.usage.compute_micros = micros;
        ASSERT_TRUE(write([&](store::Session& session) { return post(session, done, clock_.now()); }));
    }
    Result<WhatIf> ask(WhatIfOrder order) {
        order.measured = november();
        return database_->read([&](store::Session& session) { return what_if(session, order); });
    }
};

TEST_F(WhatIfs, CostPerCustomerFallsTowardsTheWorkAlone) {
    open_books_of(beta_);
    use(acme_, 2'000'000);
    use(beta_, 4'000'000);  // 3 s a request on average
    const auto told = ask({.customers = {1, 100, 10'000},
                           .mix = {{"classify", 1000}},
                           .price = {5'000'000},
                           .machine_per_hour = Micros{1'000'000},
                           .utilisation = 100})
                          .value();
    EXPECT_EQ(told.micros, 3'000'000'000) << "1000 requests of 3 s";
    // A machine has 2,628,000 s a month: 876 customers; it costs 730.
    ASSERT_EQ(told.rows.size(), 3U);
    EXPECT_EQ(told.rows[0].machines, 1);
    EXPECT_EQ(told.rows[0].cost_per_customer, Micros{730'000'000});
    EXPECT_EQ(told.rows[0].margin, Micros{-725'000'000});
    EXPECT_EQ(told.rows[1].cost_per_customer, Micros{7'300'000});
    EXPECT_EQ(told.rows[2].machines, 12);
    EXPECT_EQ(told.rows[2].cost_per_customer, Micros{876'000});
    EXPECT_EQ(told.rows[2].used_basis_points, 9513);
    EXPECT_EQ(told.break_even, 146) << "146 x 5 = 730";
}

TEST_F(WhatIfs, BreakEvenIsTheFirstNumberThatCoversItsMachines) {
    use(acme_, 3'000'000);
    for (const std::int64_t price : {1'000'000, 1'234'567, 840'000, 700'000}) {
        const WhatIfOrder order{.customers = {1},
                                .mix = {{"classify", 1000}},
                                .price = {price},
                                .machine_per_hour = Micros{1'000'000},
                                .utilisation = 100};
        const auto found = ask(order)->break_even;
        std::optional<std::int64_t> counted;
        for (std::int64_t n = 1; n <= 20'000 && !counted; ++n)
            if (n * price >= (n + 875) / 876 * 730'000'000) counted = n;
        EXPECT_EQ(found, counted) << price;
    }
    EXPECT_EQ(ask({.price = {}})->break_even, std::nullopt);
    EXPECT_EQ(ask({.price = {}, .machine_per_hour = Micros{}})->break_even, 1);
}

TEST_F(WhatIfs, WithoutAMixACustomerIsTheAverageOfWhoWasThere) {
    open_books_of(beta_);
    use(acme_, 1'000'000);
    use(acme_, 1'000'000, "chat");
    use(beta_, 2'000'000);
    ASSERT_TRUE(write([&](store::Session& session) -> Result<void> {
        book_work(session, {"training", "job_1", acme_, "minilm", "intent@1", AdapterId("ada_1"), 10'000'000},
                  clock_.now());
        return {};
    }));
    const auto told = ask({.price = {1}}).value();
    EXPECT_EQ(told.measured_customers, 2);
    EXPECT_EQ(told.measured_requests, 3);
    ASSERT_EQ(told.works.size(), 3U);
    EXPECT_EQ(told.works[1].operation, "classify");
    EXPECT_EQ(told.works[1].micros, 1'500'000);
    EXPECT_EQ(told.works[2].operation, "training");
    EXPECT_EQ(told.works[2].micros, 5'000'000);
    EXPECT_EQ(told.micros, 500'000 + 1'500'000 + 5'000'000);
    EXPECT_EQ(told.machine_per_hour, Micros{100'000}) << "what the books say";
}

TEST_F(WhatIfs, WhatCannotBeIsNamed) {
    EXPECT_EQ(ask({}).error().reason, "nothing_measured");
    use(acme_, 1);
    EXPECT_EQ(ask({.customers = {}}).error().param, "customers");
    EXPECT_EQ(ask({.customers = {0}}).error().param, "customers");
    EXPECT_EQ(ask({.mix = {{"sing", 1}}}).error().param, "mix");
    EXPECT_EQ(ask({.mix = {{"classify", -1}}}).error().param, "mix");
    EXPECT_EQ(ask({.price = {-1}}).error().param, "price");
    EXPECT_EQ(ask({.machine_per_hour = Micros{-1}}).error().param, "machine");
    EXPECT_EQ(ask({.utilisation = 101}).error().param, "utilisation");
    EXPECT_EQ(ask({.customers = {1'000'000'000}, .price = {1'000'000'000'000}}).error().param, "customers")
        << "no sum overflows";
}

}  // namespace
}  // namespace rootstock::ledger
