#include "ledger/usage_report.h"

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t minute = 60'000'000;

class UsageReport : public Books {
protected:
    void use(const TenantId& tenant, std::int64_t tokens, const std::string& adapter = "intent@1") {
        settle(hold(tenant, tokens).value(), tokens, adapter).value();
    }
    // The hour that begins with the clock's minute.
    UsageQuery query(const TenantId& tenant) {
        UsageQuery query;
        query.tenant = tenant;
        query.start = Timestamp{start_};
        query.end = Timestamp{start_ + 60 * minute};
        query.bucket_micros = minute;
        return query;
    }
    std::vector<UsageSum> ask(const UsageQuery& query) {
        return see([&](store::Session& session) { return usage_sums(session, query); });
    }

    std::int64_t start_ = clock_.now().micros / minute * minute;
};

TEST_F(UsageReport, BucketsAddUpToTheLedger) {
    use(acme_, 100);
    use(acme_, 50, "other@2");
    clock_.advance(90s);
    use(acme_, 7);
    const auto sums = ask(query(acme_));
    ASSERT_EQ(sums.size(), 2u);
    EXPECT_EQ(sums[0].bucket.micros % minute, 0);
    EXPECT_LT(sums[0].bucket, sums[1].bucket);
    EXPECT_EQ(sums[0].requests, 2);
    EXPECT_EQ(sums[0].input_tokens, 150);
    EXPECT_EQ(sums[1].input_tokens, 7);
    EXPECT_EQ(sums[0].amount + sums[1].amount, balance_of(acme_).owed);
    EXPECT_TRUE(sums[0].model.empty() && sums[0].key.empty() && sums[0].operation.empty());
}

TEST_F(UsageReport, GroupsAndFilters) {
    use(acme_, 100);
    use(acme_, 50, "other@2");
    use(acme_, 5, "");
    auto by_model = query(acme_);
    by_model.by_model = true;
    const auto sums = ask(by_model);
    ASSERT_EQ(sums.size(), 3u);
    EXPECT_EQ(sums[0].model, "intent@1");
    EXPECT_EQ(sums[1].model, "minilm");  // without an adapter the base answered
    EXPECT_EQ(sums[2].model, "other@2");
    auto only = query(acme_);
    only.models = {"other@2"};
    ASSERT_EQ(ask(only).size(), 1u);
    EXPECT_EQ(ask(only)[0].input_tokens, 50);
    only.operations = {"embed"};
    EXPECT_TRUE(ask(only).empty());
    auto keys = query(acme_);
    keys.by_key = true;
    EXPECT_EQ(ask(keys).at(0).key, "key_1");
    keys.keys = {"key_2"};
    EXPECT_TRUE(ask(keys).empty());
}

TEST_F(UsageReport, ATenantSeesItsOwn) {
    open_books_of(beta_);
    use(acme_, 100);
    EXPECT_TRUE(ask(query(beta_)).empty());
}

TEST_F(UsageReport, TheSpanIsHalfOpen) {
    use(acme_, 100);
    auto span = query(acme_);
    span.end = clock_.now();
    EXPECT_TRUE(ask(span).empty());
    span.end = Timestamp{clock_.now().micros + 1};
    EXPECT_EQ(ask(span).size(), 1u);
}

// ---- tuning is priced by its own meter, and its hold outlives the serving process ----

TEST_F(UsageReport, TuningHasAPriceOfItsOwn) {
    auto tuning = order(acme_, 1000, std::string(jobs_own));
    tuning.meter = "training_tokens";
    ASSERT_TRUE(write([&](store::Session& session) { return reserve(session, tuning, clock_.now()); }));
    EXPECT_EQ(balance_of(acme_).held, Micros{8'000});
    write([&](store::Session& session) -> Result<void> {
        void_abandoned(session, "run_2", clock_.now());
        return {};
    }).value();
    EXPECT_EQ(open_now().count, 1);
    EXPECT_EQ(settle(tuning.request, 500, "ft:minilm:acme::1")->amount, Micros{4'000});
    EXPECT_TRUE(verified().problems.empty());
}

TEST_F(UsageReport, APlanWithoutAPriceForTuningAllowsNone) {
    add_plan("serving", 1'000'000);
    open_books_of(beta_, "serving");
    auto tuning = order(beta_, 1);
    tuning.meter = "training_tokens";
    const auto refused = write([&](store::Session& session) { return reserve(session, tuning, clock_.now()); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "no_books");
}

}  // namespace
}  // namespace rootstock::ledger
