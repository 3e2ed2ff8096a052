#include "ledger/payment.h"

#include <map>

#include "ledger/test_books.h"

namespace rootstock::ledger {
namespace {

using S = CallState;
using E = CallEvent;

// Every state with every event, written out: what is not here is illegal.
TEST(ProviderCall, TakesTheseStepsAndNoOthers) {
    const std::map<std::pair<S, E>, S> legal = {
        {{S::created, E::send}, S::sent},           {{S::created, E::refuse}, S::failed},
        {{S::sent, E::succeed}, S::succeeded},      {{S::sent, E::refuse}, S::failed},
        {{S::sent, E::doubt}, S::unknown},          {{S::unknown, E::succeed}, S::succeeded},
        {{S::unknown, E::refuse}, S::failed},       {{S::unknown, E::doubt}, S::unknown},
        {{S::succeeded, E::succeed}, S::succeeded}, {{S::failed, E::refuse}, S::failed}};
    for (auto state : {S::created, S::sent, S::unknown, S::succeeded, S::failed})
        for (auto event : {E::send, E::succeed, E::refuse, E::doubt}) {
            const auto at = legal.find({state, event});
            const auto wanted = at == legal.end() ? std::nullopt : std::optional(at->second);
            EXPECT_EQ(after(state, event), wanted) << name(state) << " " << static_cast<int>(event);
        }
    for (auto state : {S::created, S::sent, S::unknown, S::succeeded, S::failed})
        EXPECT_EQ(call_state(name(state)), state);
}

class PaymentTest : public Books {
protected:
    PaymentTest() {
        desk_.find = [this](store::Session&, const InvoiceId& invoice) -> Result<Owed> {
            if (invoice.text() != "inv_1") return fail(ErrorCode::not_found, "no invoice", "invoice");
            return Owed{acme_, "USD", owed_};
        };
        desk_.settle = [this](store::Session&, const InvoiceId&, std::int64_t amount, const std::string&,
                              Timestamp) -> Result<void> {
            owed_ -= amount;
            return {};
        };
        desk_.refunded = [this](store::Session&, const std::string& note, const std::string&,
                                Timestamp) -> Result<void> {
            returned_ += note;
            return {};
        };
    }
    Result<Payment> open(const PaymentOrder& order) {
        return write([&](store::Session& session) { return open_payment(session, order, desk_, clock_.now()); });
    }
    Payment on_account(std::int64_t amount) { return open({acme_, {}, "stripe", "pm_1", amount, "USD"}).value(); }
    Result<Attempt> begin(const Payment& payment) {
        return write([&](store::Session& session) { return begin_attempt(session, payment.id, clock_.now()); });
    }
    Result<Attempt> go(const Attempt& attempt, CallEvent event, const CallEnd& end = {}) {
        return write(
            [&](store::Session& session) { return step(session, attempt.id, event, end, desk_, clock_.now()); });
    }
    Payment paid(std::int64_t amount) {
        auto payment = on_account(amount);
        auto attempt = begin(payment).value();
        go(attempt, E::send).value();
        go(attempt, E::succeed, {"pi_1", "", amount}).value();
        return now_of(payment);
    }
    Result<Refund> refund(const Payment& payment, std::int64_t amount, const std::string& note = "") {
        return write([&](store::Session& session) {
            return open_refund(session, payment.id, amount, "asked", note, clock_.now());
        });
    }
    Result<Refund> go(const Refund& refund, CallEvent event, const CallEnd& end = {}) {
        return write(
            [&](store::Session& session) { return step_refund(session, refund.id, event, end, desk_, clock_.now()); });
    }
    Payment now_of(const Payment& payment) {
        return database_->read([&](store::Session& session) { return find_payment(session, acme_, payment.id.text()); })
            .value();
    }
    // What the house owes the tenant, in micro-units.
    std::int64_t credit() {
        return see([&](store::Session& session) {
            auto row = session.first<std::int64_t>(
                "SELECT b.posted_cr - b.posted_dr FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id "
                "WHERE a.tenant_id = :tenant AND a.kind = 'refunds'",
                acme_);
            return row ? std::get<0>(*row) : 0;
        });
    }

    InvoiceDesk desk_;
    std::int64_t owed_ = 1500;
    std::string returned_;
};

TEST_F(PaymentTest, ASuccessIsBookedOnceHoweverOftenItIsTold) {
    auto payment = on_account(1234);
    auto attempt = begin(payment).value();
    EXPECT_EQ(attempt.state, S::created);
    go(attempt, E::send).value();
    EXPECT_EQ(go(attempt, E::succeed, {"pi_1", "", 1234}).value().state, S::succeeded);
    EXPECT_EQ(go(attempt, E::succeed, {"pi_1", "", 1234}).value().state, S::succeeded);
    EXPECT_EQ(now_of(payment).captured, 1234);
    EXPECT_EQ(now_of(payment).state, PaymentState::succeeded);
    EXPECT_EQ(credit(), 12'340'000);
    EXPECT_TRUE(verified().problems.empty());
    EXPECT_EQ(begin(payment).error().reason, "payment_state");
    EXPECT_EQ(go(attempt, E::refuse).error().reason, "attempt_state");
}

TEST_F(PaymentTest, OneAttemptAtATime) {
    auto payment = on_account(100);
    auto first = begin(payment).value();
    EXPECT_EQ(begin(payment).error().reason, "attempt_open");
    go(first, E::send).value();
    EXPECT_EQ(begin(payment).error().reason, "attempt_open");
    go(first, E::doubt).value();
    EXPECT_EQ(begin(payment).error().reason, "attempt_open") << "an unknown end is no end";
    auto cancel = write([&](store::Session& session) { return cancel_payment(session, payment.id, clock_.now()); });
    EXPECT_EQ(cancel.error().reason, "attempt_open");
    go(first, E::refuse, {"", "card_declined"}).value();
    auto second = begin(payment).value();
    EXPECT_NE(first.id, second.id);
    EXPECT_EQ(credit(), 0);
}

TEST_F(PaymentTest, AnotherAmountThanWasMeantBooksNothing) {
    auto payment = on_account(100);
    auto attempt = begin(payment).value();
    go(attempt, E::send).value();
    EXPECT_EQ(go(attempt, E::succeed, {"pi_1", "", 10'000}).error().reason, "amount_mismatch");
    EXPECT_EQ(now_of(payment).captured, 0);
    EXPECT_EQ(credit(), 0);
}

TEST_F(PaymentTest, AnInvoiceIsPaidOnceAndNeverAboveWhatItLeaves) {
    EXPECT_EQ(open({acme_, InvoiceId("inv_1"), "stripe", "", 1501, ""}).error().param, "amount");
    EXPECT_EQ(open({beta_, InvoiceId("inv_1"), "stripe", "", 0, ""}).error().reason, "invoice_not_found");
    EXPECT_EQ(open({acme_, InvoiceId("inv_1"), "stripe", "", 0, "EUR"}).error().param, "currency");
    auto payment = open({acme_, InvoiceId("inv_1"), "stripe", "", 0, ""}).value();
    EXPECT_EQ(payment.amount, 1500);
    EXPECT_EQ(open({acme_, InvoiceId("inv_1"), "stripe", "", 0, ""}).error().reason, "payment_open");
    auto attempt = begin(payment).value();
    go(attempt, E::send).value();
    go(attempt, E::succeed, {"pi_1"}).value();
    EXPECT_EQ(owed_, 0);
    EXPECT_EQ(open({acme_, InvoiceId("inv_1"), "stripe", "", 0, ""}).error().reason, "invoice_state");
    EXPECT_EQ(refund(payment, 100).error().reason, "credit_note_needed");
    auto back = refund(payment, 100, "cn_1").value();
    go(back, E::send).value();
    go(back, E::succeed, {"re_1", "", 100}).value();
    EXPECT_EQ(returned_, "cn_1");
}

TEST_F(PaymentTest, RefundsNeverPassWhatWasCaptured) {
    auto payment = paid(1000);
    EXPECT_EQ(refund(payment, 1001).error().reason, "above_captured");
    auto first = refund(payment, 700).value();
    EXPECT_EQ(refund(payment, 301).error().reason, "above_captured") << "what is under way counts";
    go(first, E::send).value();
    go(first, E::doubt).value();
    EXPECT_EQ(refund(payment, 301).error().reason, "above_captured") << "so does what is unknown";
    go(first, E::refuse, {"", "insufficient_funds"}).value();
    EXPECT_EQ(now_of(payment).refunded, 0);
    auto all = refund(payment, 1000).value();
    go(all, E::send).value();
    go(all, E::succeed, {"re_1", "", 1000}).value();
    go(all, E::succeed, {"re_1", "", 1000}).value();
    EXPECT_EQ(go(all, E::refuse).error().reason, "refund_state");
    EXPECT_EQ(credit(), 0);
    EXPECT_TRUE(verified().problems.empty());
    EXPECT_EQ(refund(payment, 1).error().reason, "above_captured");
}

TEST_F(PaymentTest, RefusesWhatIsNoAmountOrNoCurrency) {
    EXPECT_EQ(open({acme_, {}, "stripe", "", 0, "USD"}).error().param, "amount");
    EXPECT_EQ(open({acme_, {}, "stripe", "", -5, "USD"}).error().param, "amount");
    EXPECT_FALSE(open({acme_, {}, "stripe", "", 5, "XXX"}));
    EXPECT_EQ(refund(paid(10), 0).error().param, "amount");
}

TEST_F(PaymentTest, AnEventIsClaimedOnceAndWithItsEffect) {
    auto claim = [&](bool undo) {
        return write([&](store::Session& session) -> Result<bool> {
            const bool first = claim_event(session, "stripe", "evt_1", clock_.now());
            if (undo) return fail(ErrorCode::unavailable, "the effect failed");
            return first;
        });
    };
    EXPECT_FALSE(claim(true));
    EXPECT_TRUE(claim(false).value()) << "an effect that failed leaves its event unclaimed";
    EXPECT_FALSE(claim(false).value());
}

}  // namespace
}  // namespace rootstock::ledger
