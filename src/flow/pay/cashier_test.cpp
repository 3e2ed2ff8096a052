#include "flow/pay/cashier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "flow/pay/bank_transfer.h"
#include "flow/pay/stripe_event.h"
#include "outbox/outbox.h"

namespace rootstock::pay {
namespace {

using Kind = Outcome::Kind;

// A provider in memory that does what it is told and can lose its answers on the way.
class PaperProvider final : public Provider {
public:
    enum class Fault { none, lost_before, lost_after, declines, pending, deaf };

    const char* name() const override { return "paper"; }
    bool can_be_asked() const override { return true; }
    Result<std::string> customer(const TenantId& tenant, const std::string&) override { return "cus_" + tenant.text(); }
    Outcome charge(const Charge& charge) override {
        ++calls[charge.attempt.id.text()];
        return act(charge.attempt.id.text(), charge.payment.amount);
    }
    Outcome look(const Charge& charge) override { return seen(charge.attempt.id.text()); }
    Outcome give_back(const Return& wanted) override {
        ++calls[wanted.refund.id.text()];
        return act(wanted.refund.id.text(), wanted.refund.amount);
    }
    Outcome look(const Return& wanted) override { return seen(wanted.refund.id.text()); }
    Result<Notice> read_notice(const std::string& signature, const std::string& body, Timestamp) override {
        if (signature != "good") return fail(ErrorCode::unauthenticated, "no", "Stripe-Signature", "bad_signature");
        return read_stripe_event(body);
    }

    std::int64_t moved() const {  // by the provider's own count
        std::int64_t sum = 0;
        for (const auto& [id, outcome] : known)
            if (outcome.kind == Kind::succeeded) sum += outcome.amount.value_or(0);
        return sum;
    }

    Fault fault = Fault::none;
    std::map<std::string, Outcome> known;  // by our id
    std::map<std::string, int> calls;

private:
    Outcome act(const std::string& id, std::int64_t amount) {
        if (fault == Fault::lost_before) return {Kind::unknown, {}, "no_answer"};
        auto& outcome = known[id];
        outcome = fault == Fault::declines  ? Outcome{Kind::failed, "pi_" + id, "card_declined"}
                  : fault == Fault::pending ? Outcome{Kind::pending, "pi_" + id}
                                            : Outcome{Kind::succeeded, "pi_" + id, {}, amount};
        return fault == Fault::lost_after ? Outcome{Kind::unknown, {}, "no_answer"} : outcome;
    }
    Outcome seen(const std::string& id) {
        if (fault == Fault::deaf) return {Kind::unknown, {}, "no_answer"};
        return known.contains(id) ? known[id] : Outcome{Kind::absent};
    }
};

class CashierTest : public ::testing::Test {
protected:
    CashierTest() {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-pay-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        auto migrations = ledger::migrations();
        for (auto& migration : outbox::migrations()) migrations.push_back(std::move(migration));
        records_ = std::move(store::Database::open(folder_ / "records.db", std::move(migrations)).value());
        std::vector<std::unique_ptr<Provider>> providers;
        providers.push_back(std::make_unique<PaperProvider>());
        paper_ = static_cast<PaperProvider*>(providers.back().get());
        providers.push_back(make_bank_transfer());
        cashier_ = std::make_unique<Cashier>(
            *records_, clock_, ledger::InvoiceDesk{}, [](store::Session&, const TenantId&) { return "Acme"; },
            std::move(providers));
    }
    ~CashierTest() override {
        cashier_.reset();
        records_.reset();
        std::filesystem::remove_all(folder_);
    }
    ledger::Payment open(std::int64_t amount, const std::string& provider = "paper") {
        return records_
            ->write_now([&](store::Session& session) {
                return ledger::open_payment(session, {acme_, {}, provider, "pm_1", amount, "EUR"}, {}, clock_.now());
            })
            .value();
    }
    ledger::Payment now_of(const ledger::Payment& payment) {
        return records_
            ->read([&](store::Session& session) { return ledger::find_payment(session, acme_, payment.id.text()); })
            .value();
    }
    std::vector<ledger::Attempt> attempts(const ledger::Payment& payment) {
        return records_
            ->read([&](store::Session& session) -> Result<std::vector<ledger::Attempt>> {
                return ledger::attempts_of(session, payment.id);
            })
            .value();
    }
    std::int64_t credit_cents() {
        return records_
            ->read([&](store::Session& session) -> Result<std::int64_t> {
                auto row = session.first<std::int64_t>(
                    "SELECT b.posted_cr - b.posted_dr FROM ledger_balance b JOIN ledger_account a ON "
                    "a.id = b.account_id WHERE a.tenant_id = :tenant AND a.kind = 'refunds'",
                    acme_);
                return row ? std::get<0>(*row) / 10'000 : 0;
            })
            .value();
    }
    void wait(std::chrono::seconds by) { clock_.advance(by); }
    static std::string event(const std::string& id, const std::string& type, const std::string& object,
                             const std::string& kind = "payment_intent") {
        return json::serialize(
            json::object{{"id", id}, {"type", type}, {"data", {{"object", {{"id", object}, {"object", kind}}}}}});
    }

    std::filesystem::path folder_;
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};
    std::unique_ptr<store::Database> records_;
    PaperProvider* paper_ = nullptr;
    std::unique_ptr<Cashier> cashier_;
    const TenantId acme_{"ten_acme"};
};

TEST_F(CashierTest, ALostAnswerIsAskedForAndTheCallNeverRepeated) {
    paper_->fault = PaperProvider::Fault::lost_after;
    auto payment = open(500);
    auto taken = cashier_->pay(payment.id).value();
    EXPECT_EQ(taken.attempt.state, ledger::CallState::unknown);
    EXPECT_EQ(cashier_->pay(payment.id).error().reason, "attempt_open");
    paper_->fault = PaperProvider::Fault::deaf;
    wait(std::chrono::seconds(31));
    EXPECT_EQ(cashier_->look_after(), 1);
    EXPECT_EQ(now_of(payment).state, ledger::PaymentState::open);
    paper_->fault = PaperProvider::Fault::none;
    wait(std::chrono::seconds(31));
    cashier_->look_after();
    EXPECT_EQ(now_of(payment).captured, 500);
    EXPECT_EQ(credit_cents(), 500);
    EXPECT_EQ(paper_->calls[taken.attempt.id.text()], 1);
    EXPECT_EQ(cashier_->look_after(), 0);
}

TEST_F(CashierTest, WhatNeverArrivedFailsOnlyAfterAWhile) {
    paper_->fault = PaperProvider::Fault::lost_before;
    auto payment = open(500);
    cashier_->pay(payment.id).value();
    wait(std::chrono::minutes(5));
    cashier_->look_after();
    EXPECT_EQ(attempts(payment)[0].state, ledger::CallState::unknown) << "it may still be on its way";
    wait(std::chrono::minutes(11));
    cashier_->look_after();
    EXPECT_EQ(attempts(payment)[0].state, ledger::CallState::failed);
    EXPECT_EQ(attempts(payment)[0].error, "never_arrived");
    paper_->fault = PaperProvider::Fault::none;
    cashier_->pay(payment.id).value();
    EXPECT_EQ(attempts(payment).size(), 2u);
    EXPECT_EQ(credit_cents(), 500);
}

TEST_F(CashierTest, AProcessThatDiedBetweenItsStepsChargesNobodyTwice) {
    // After the row, before the call: the call was never made.
    auto first = open(100);
    records_->write_now([&](store::Session& session) { return ledger::begin_attempt(session, first.id, clock_.now()); })
        .value();
    // After the call, before its end was written down.
    auto second = open(200);
    auto sent = records_
                    ->write_now([&](store::Session& session) -> Result<ledger::Attempt> {
                        ROOTSTOCK_TRY(begun, ledger::begin_attempt(session, second.id, clock_.now()));
                        return ledger::step(session, begun.id, ledger::CallEvent::send, {}, {}, clock_.now());
                    })
                    .value();
    paper_->known[sent.id.text()] = {Kind::succeeded, "pi_9", {}, 200};
    wait(std::chrono::minutes(6));
    EXPECT_EQ(cashier_->look_after(), 2);
    EXPECT_EQ(attempts(first)[0].error, "never_sent");
    EXPECT_EQ(now_of(second).captured, 200);
    EXPECT_TRUE(paper_->calls.empty());
    EXPECT_EQ(credit_cents(), 200);
}

TEST_F(CashierTest, ADeclineLeavesThePaymentOpenForAnotherAttempt) {
    paper_->fault = PaperProvider::Fault::declines;
    auto payment = open(500);
    EXPECT_EQ(cashier_->pay(payment.id).value().attempt.error, "card_declined");
    EXPECT_EQ(now_of(payment).state, ledger::PaymentState::open);
    paper_->fault = PaperProvider::Fault::none;
    EXPECT_EQ(cashier_->pay(payment.id).value().payment.captured, 500);
}

TEST_F(CashierTest, RefundsGoTheSameWay) {
    auto payment = open(1000);
    cashier_->pay(payment.id).value();
    auto refund = records_
                      ->write_now([&](store::Session& session) {
                          return ledger::open_refund(session, payment.id, 400, "asked", "", clock_.now());
                      })
                      .value();
    paper_->fault = PaperProvider::Fault::lost_after;
    EXPECT_EQ(cashier_->give_back(refund.id).value().state, ledger::CallState::unknown);
    EXPECT_EQ(cashier_->give_back(refund.id).error().reason, "refund_state");
    paper_->fault = PaperProvider::Fault::none;
    wait(std::chrono::seconds(31));
    cashier_->look_after();
    EXPECT_EQ(credit_cents(), 600);
    EXPECT_EQ(paper_->calls[refund.id.text()], 1);
}

// The corpus of events, three times over and in any order, leaves what it leaves in the order in which it happened.
TEST_F(CashierTest, ShuffledAndReplayedEventsEndInTheSameState) {
    constexpr std::uint64_t seed = 20261126;
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    for (int round = 0; round < 12; ++round) {
        paper_->fault = PaperProvider::Fault::pending;
        const auto before = credit_cents();
        std::vector<ledger::Payment> payments;
        std::vector<std::string> corpus;
        for (int i = 0; i < 5; ++i) {
            auto payment = open(100 + i);
            const auto attempt = cashier_->pay(payment.id).value().attempt;
            payments.push_back(payment);
            const auto ref = attempt.ref, tag = std::to_string(round) + "_" + std::to_string(i);
            corpus.push_back(event("evt_c" + tag, "payment_intent.created", ref));
            corpus.push_back(event("evt_p" + tag, "payment_intent.processing", ref));
            corpus.push_back(
                event("evt_e" + tag, i == 2 ? "payment_intent.canceled" : "payment_intent.succeeded", ref));
            corpus.push_back(event("evt_x" + tag, "charge.updated", "ch_" + tag, "charge"));
            // What the provider knows by the time it sends them.
            paper_->known[attempt.id.text()] =
                i == 2 ? Outcome{Kind::failed, ref, "canceled"} : Outcome{Kind::succeeded, ref, {}, payment.amount};
        }
        auto three = corpus;
        for (int more = 0; more < 2; ++more) three.insert(three.end(), corpus.begin(), corpus.end());
        random.shuffle(three);
        for (const auto& body : three) {
            auto taken = cashier_->take_notice("paper", "good", body);
            EXPECT_TRUE(taken) << taken.error().message;
        }
        for (int i = 0; i < 5; ++i) {
            EXPECT_EQ(now_of(payments[static_cast<std::size_t>(i)]).captured, i == 2 ? 0 : 100 + i);
        }
        EXPECT_EQ(credit_cents() - before, 100 + 101 + 103 + 104);
    }
    EXPECT_EQ(credit_cents(), paper_->moved());
}

TEST_F(CashierTest, AnEventThatCannotBeCheckedIsNotClaimed) {
    paper_->fault = PaperProvider::Fault::pending;
    auto payment = open(100);
    auto attempt = cashier_->pay(payment.id).value().attempt;
    const auto body = event("evt_1", "payment_intent.succeeded", attempt.ref);
    paper_->fault = PaperProvider::Fault::deaf;
    EXPECT_EQ(cashier_->take_notice("paper", "good", body).error().code, ErrorCode::unavailable);
    paper_->fault = PaperProvider::Fault::none;
    paper_->known[attempt.id.text()] = {Kind::succeeded, attempt.ref, {}, 100};
    EXPECT_TRUE(cashier_->take_notice("paper", "good", body));
    EXPECT_EQ(now_of(payment).captured, 100);
    EXPECT_EQ(cashier_->take_notice("paper", "bad", body).error().code, ErrorCode::unauthenticated);
}

TEST_F(CashierTest, ABankTransferWaitsForWhoSeesTheMoney) {
    auto payment = open(700, "bank_transfer");
    auto taken = cashier_->pay(payment.id).value();
    EXPECT_EQ(taken.attempt.state, ledger::CallState::sent);
    EXPECT_TRUE(is_creditor_reference(taken.for_payer)) << taken.for_payer;
    wait(std::chrono::hours(24));
    EXPECT_EQ(cashier_->look_after(), 0);
    auto confirm = [&](const ledger::Payment& which) {
        return records_->write_now(
            [&](store::Session& session) { return cashier_->confirm(session, which, "stmt 7"); });
    };
    EXPECT_EQ(confirm(payment).value().captured, 700);
    EXPECT_EQ(confirm(payment).error().reason, "payment_state");
    EXPECT_EQ(confirm(open(5)).error().reason, "not_by_hand");
    EXPECT_EQ(credit_cents(), 700);
}

TEST(CreditorReference, HasTheStandardsCheckDigits) {
    EXPECT_EQ(creditor_reference("539007547034"), "RF18539007547034");  // the example of ISO 11649
    EXPECT_TRUE(is_creditor_reference("RF18539007547034"));
    EXPECT_FALSE(is_creditor_reference("RF18539007547043"));
    EXPECT_FALSE(is_creditor_reference("RF19539007547034"));
    EXPECT_FALSE(is_creditor_reference("RF18"));
    EXPECT_TRUE(is_creditor_reference(creditor_reference("pat_019ab-cd")));
}

// ---- what Stripe sends ----

std::string header_of(std::int64_t t, const std::string& body, const std::string& secret) {
    return "t=" + std::to_string(t) +
           ",v1=" + outbox::lower_hex(outbox::hmac_sha256(secret, std::to_string(t) + "." + body));
}

TEST(StripeSignature, HoldsTheBytesAndTheTime) {
    const Timestamp now{1'795'000'000'000'000};
    const std::string body = "{\"id\":\"evt_1\"}", secret = "whsec_x";
    const auto good = header_of(1'795'000'000, body, secret);
    EXPECT_TRUE(check_stripe_signature(good, body, secret, now));
    EXPECT_TRUE(check_stripe_signature(good + ",v0=00", body, secret, now));
    EXPECT_TRUE(check_stripe_signature("v1=00," + good, body, secret, now)) << "while a secret is being changed";
    EXPECT_TRUE(check_stripe_signature(header_of(1'795'000'300, body, secret), body, secret, now));
    EXPECT_TRUE(check_stripe_signature(header_of(1'794'999'700, body, secret), body, secret, now));
    for (const auto& header :
         {header_of(1'795'000'301, body, secret), header_of(1'794'999'699, body, secret),
          header_of(1'795'000'000, body + " ", secret), header_of(1'795'000'000, body, "whsec_y"), good + ",t=1",
          std::string("t=1795000000"), std::string(), std::string("v1=00"), std::string("t=x,v1=00"),
          std::string("t=-1,v1=00"), std::string("t=99999999999999999999,v1=00"), std::string(3000, 'v')})
        EXPECT_FALSE(check_stripe_signature(header, body, secret, now)) << header.substr(0, 60);
    EXPECT_FALSE(check_stripe_signature(header_of(1'795'000'000, body, ""), body, "", now)) << "no secret is set";
}

TEST(StripeEvent, SaysWhichCallItIsAboutAndNothingElse) {
    auto about = [](const char* text) { return read_stripe_event(text); };
    auto paid = about(R"({"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","object":
                     "payment_intent","status":"succeeded"}},"account":null})");
    ASSERT_TRUE(paid);
    EXPECT_EQ(paid->about, Notice::About::attempt);
    EXPECT_EQ(paid->ref, "pi_1");
    EXPECT_EQ(
        about(R"({"id":"evt_2","type":"refund.updated","data":{"object":{"id":"re_1","object":"refund"}}})")->about,
        Notice::About::refund);
    EXPECT_EQ(about(R"({"id":"evt_3","type":"ping","data":{"object":{}}})")->about, Notice::About::nothing);
    for (const char* bad :
         {"", "[]", "{}", R"({"id":"evt_1","type":"x"})", R"({"id":5,"type":"x","data":{"object":{}}})",
          R"({"id":"a b","type":"x","data":{"object":{}}})", R"({"id":"e","type":"x","data":[]})"})
        EXPECT_EQ(about(bad).error().code, ErrorCode::invalid_argument) << bad;
}

}  // namespace
}  // namespace rootstock::pay
