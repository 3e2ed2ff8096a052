#include "ledger/idempotency.h"

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class IdempotencyTest : public Books {
protected:
    Idempotency claim_it(const RequestId& runner, const std::string& print = "a", const std::string& key = "k1",
                         const TenantId& tenant = TenantId("ten_acme")) {
        return write([&](store::Session& session) {
                   return claim(session, {tenant, "POST /v1/classify", key}, print, runner, clock_.now());
               })
            .value();
    }
    // The journey's last step: charge and answer in one transaction.
    Result<void> finish_it(const RequestId& runner) {
        return write([&](store::Session& session) -> Result<void> {
            ROOTSTOCK_CHECKED(post(session, answer(runner, 5), clock_.now()));
            return finish(session, key_, runner, 200, R"({"label":"x"})", clock_.now());
        });
    }
    const IdempotencyKey key_{acme_, "POST /v1/classify", "k1"};
};

TEST(Fingerprint, MeansTheSameIsTheSame) {
    const auto print = [](const char* text) { return fingerprint(json::parse(text)); };
    EXPECT_EQ(print(R"({"a":1,"b":[{"x":1,"y":2}]})"), print(R"( { "b":[ {"y":2, "x":1}], "a":1 } )"));
    EXPECT_NE(print(R"({"a":1})"), print(R"({"a":2})"));
    EXPECT_NE(print(R"([1,2])"), print(R"([2,1])"));
    EXPECT_NE(print(R"({"a":"1"})"), print(R"({"a":1})"));
}

TEST_F(IdempotencyTest, SeenAgainIsAnsweredAgainWithoutASecondCharge) {
    const auto first = hold(acme_, 5).value(), second = hold(acme_, 5).value();
    EXPECT_EQ(claim_it(first).state, IdempotencyState::fresh);
    EXPECT_EQ(claim_it(second).state, IdempotencyState::running);
    EXPECT_EQ(claim_it(second).retry_after, 60s);
    ASSERT_TRUE(finish_it(first));
    const auto replay = claim_it(second);
    EXPECT_EQ(replay.state, IdempotencyState::replay);
    EXPECT_EQ(replay.status, 200);
    EXPECT_EQ(replay.body, R"({"label":"x"})");
    EXPECT_EQ(verified().transfers, 1);
}

TEST_F(IdempotencyTest, AnotherBodyUnderTheKeyIsSeen) {
    EXPECT_EQ(claim_it(RequestId("req_1"), "a").state, IdempotencyState::fresh);
    EXPECT_EQ(claim_it(RequestId("req_2"), "b").state, IdempotencyState::other_body);
}

TEST_F(IdempotencyTest, KeysOfTenantsAndRoutesDoNotMeet) {
    EXPECT_EQ(claim_it(RequestId("req_1")).state, IdempotencyState::fresh);
    EXPECT_EQ(claim_it(RequestId("req_2"), "a", "k1", beta_).state, IdempotencyState::fresh);
    const auto other_route = write([&](store::Session& s) {
        return claim(s, {acme_, "POST /v1/embeddings", "k1"}, "a", RequestId("req_3"), clock_.now());
    });
    EXPECT_EQ(other_route.value().state, IdempotencyState::fresh);
}

TEST_F(IdempotencyTest, AFailureFreesTheKey) {
    EXPECT_EQ(claim_it(RequestId("req_1")).state, IdempotencyState::fresh);
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        abandon(s, key_, RequestId("req_other"));
        return {};
    }));
    EXPECT_EQ(claim_it(RequestId("req_2")).state, IdempotencyState::running) << "only its runner may let go";
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        abandon(s, key_, RequestId("req_1"));
        return {};
    }));
    EXPECT_EQ(claim_it(RequestId("req_2"), "b").state, IdempotencyState::fresh);
}

// The process died after the claim and before the charge: the retry must charge exactly once (openmeter#5118).
TEST_F(IdempotencyTest, ACrashBetweenClaimAndEffectChargesOnce) {
    const auto dead = hold(acme_, 5, "run_dead").value();
    EXPECT_EQ(claim_it(dead).state, IdempotencyState::fresh);
    open();  // a new process
    ASSERT_TRUE(
        write([&](store::Session& s) -> Result<std::int64_t> { return void_abandoned(s, "run_2", clock_.now()); }));
    const auto retry = hold(acme_, 5, "run_2").value();
    EXPECT_EQ(claim_it(retry).state, IdempotencyState::running);
    clock_.advance(idempotency_lease);
    EXPECT_EQ(claim_it(retry).state, IdempotencyState::fresh);
    ASSERT_TRUE(finish_it(retry));
    EXPECT_EQ(claim_it(RequestId("req_3")).state, IdempotencyState::replay);
    EXPECT_EQ(verified().transfers, 1);
    EXPECT_TRUE(verified().problems.empty());
}

// The first runner was only slow: its late finish must not charge beside the second one's.
TEST_F(IdempotencyTest, ASlowRunnerCannotChargeAfterItWasReplaced) {
    const auto slow = hold(acme_, 5).value(), quick = hold(acme_, 5).value();
    EXPECT_EQ(claim_it(slow).state, IdempotencyState::fresh);
    clock_.advance(idempotency_lease);
    EXPECT_EQ(claim_it(quick).state, IdempotencyState::fresh);
    EXPECT_EQ(finish_it(slow).error().reason, "idempotency_lost");
    EXPECT_EQ(verified().transfers, 0) << "the charge is undone with the finish";
    ASSERT_TRUE(finish_it(quick));
    EXPECT_EQ(finish_it(slow).error().reason, "idempotency_lost");
    EXPECT_EQ(verified().transfers, 1);
}

TEST_F(IdempotencyTest, AnswersAreKeptForADay) {
    const auto first = hold(acme_, 5).value();
    claim_it(first);
    ASSERT_TRUE(finish_it(first));
    clock_.advance(idempotency_kept - 1s);
    EXPECT_EQ(claim_it(RequestId("req_2")).state, IdempotencyState::replay);
    clock_.advance(1s);
    EXPECT_EQ(claim_it(RequestId("req_3"), "b").state, IdempotencyState::fresh);
    clock_.advance(idempotency_kept);
    EXPECT_EQ(
        write([&](store::Session& s) -> Result<std::int64_t> { return forget_old_keys(s, clock_.now()); }).value(), 1);
}

TEST_F(IdempotencyTest, KeysHaveALength) {
    for (const std::string& key : {std::string(), std::string(256, 'x')}) {
        const auto refused = write([&](store::Session& s) {
            return claim(s, {acme_, "r", key}, "a", RequestId("req_1"), clock_.now());
        });
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    }
}

}  // namespace
}  // namespace rootstock::ledger
