#include "ledger/partner.h"

#include "ledger/test_invoices.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class Partners : public Invoicing {
protected:
    Partners() {
        partner_ =
            add({.code = "Green-Leaf", .name = "Leaf", .email = "leaf@example.com", .basis_points = 1500}).value();
    }
    Result<Partner> add(Partner partner) {
        return write([&](store::Session& session) { return add_partner(session, partner, clock_.now()); });
    }
    Result<Attribution> bring(const TenantId& tenant, std::string code = "green-leaf",
                              std::string owner = "a@b.example") {
        return write(
            [&](store::Session& session) { return attribute(session, tenant, code, owner, "sign-up", clock_.now()); });
    }
    std::int64_t advance() {
        return write([&](store::Session& session) -> Result<std::int64_t> {
                   return advance_commissions(session, clock_.now());
               })
            .value();
    }
    PartnerBalance balance_now() {
        const auto all =
            see([&](store::Session& session) { return partner_balances(session, partner_.id, clock_.now()); });
        return all.empty() ? PartnerBalance{} : all.front();
    }
    Result<Payout> pay(std::string reference) {
        return write(
            [&](store::Session& session) { return pay_out(session, partner_.id, "USD", reference, clock_.now()); });
    }
    std::int64_t owed_in_books() {
        return see([&](store::Session& session) {
            return session.value<std::int64_t>(
                "SELECT CAST(COALESCE(SUM(b.posted_cr - b.posted_dr), 0) AS BIGINT) FROM ledger_account a JOIN "
                "ledger_balance b ON b.account_id = a.id WHERE a.kind = 'commission_payable' AND a.tenant_id = "
                ":partner",
                partner_.id);
        });
    }
    Invoice paid_invoice(std::int64_t amount, const std::string& ref) {
        const Invoice invoice = issued(acme_, {line(amount)});
        EXPECT_TRUE(paid(invoice.id, invoice.total, ref));
        return invoice;
    }

    Partner partner_;
};

TEST_F(Partners, APaidInvoiceEarnsOnceAndWithoutTaxes) {
    tax(acme_);
    ASSERT_TRUE(bring(acme_));
    const Invoice invoice = issued(acme_, {line(10'003)});
    EXPECT_EQ(advance(), 0) << "not paid yet";
    ASSERT_TRUE(paid(invoice.id, invoice.total, "bank 1"));
    EXPECT_EQ(advance(), 1);
    EXPECT_EQ(advance(), 0) << "told again, booked once";
    EXPECT_EQ(balance_now().held, 1500);  // 1500.45
    EXPECT_EQ(owed_in_books(), 15'000'000);
    expect_books_in_order();
}

TEST_F(Partners, ItIsPaidOutWhenTheHoldIsOver) {
    ASSERT_TRUE(bring(acme_));
    paid_invoice(10'000, "bank 1");
    advance();
    EXPECT_EQ(pay("wire 1").error().reason, "nothing_due");
    clock_.advance(24h * 30);
    EXPECT_EQ(balance_now().due, 1500);
    const auto payout = pay("wire 1").value();
    EXPECT_EQ(payout.amount, 1500);
    EXPECT_EQ(pay("wire 1")->id, payout.id) << "the same transfer is the same payout";
    EXPECT_EQ(pay("wire 2").error().reason, "nothing_due");
    EXPECT_EQ(balance_now().paid, 1500);
    EXPECT_EQ(owed_in_books(), 0);
    expect_books_in_order();
}

TEST_F(Partners, WhatIsCreditedIsTakenBackToTheUnit) {
    ASSERT_TRUE(bring(acme_));
    const Invoice invoice = issued(acme_, {line(3'333), line(6'667)});
    ASSERT_TRUE(paid(invoice.id, invoice.total, "bank 1"));
    advance();
    ASSERT_TRUE(credited(invoice.id, {{.position = 1, .amount = 1'111}}, "refund"));
    EXPECT_EQ(advance(), 1);
    EXPECT_EQ(balance_now().due, -167);  // 15 % of 8,889 are 1,333.35; the reversal counts at once
    ASSERT_TRUE(credited(invoice.id));
    EXPECT_EQ(advance(), 1);
    EXPECT_EQ(balance_now().held + balance_now().due, 0);
    EXPECT_EQ(owed_in_books(), 0);
    clock_.advance(24h * 31);
    EXPECT_EQ(pay("wire").error().reason, "nothing_due");
    expect_books_in_order();
}

TEST_F(Partners, AReversalAfterThePayoutIsTakenOffTheNext) {
    ASSERT_TRUE(bring(acme_));
    const Invoice first = paid_invoice(10'000, "bank 1");
    advance();
    clock_.advance(24h * 30);
    ASSERT_TRUE(pay("wire 1"));
    ASSERT_TRUE(credited(first.id));
    advance();
    EXPECT_EQ(balance_now().due, -1500);
    EXPECT_EQ(owed_in_books(), -15'000'000) << "the partner owes it";
    paid_invoice(20'000, "bank 2");
    advance();
    clock_.advance(24h * 30);
    EXPECT_EQ(pay("wire 2")->amount, 1500);
    EXPECT_EQ(owed_in_books(), 0);
    expect_books_in_order();
}

TEST_F(Partners, TheFirstTouchStaysAndNobodyBringsHimself) {
    ASSERT_TRUE(add({.code = "other", .name = "Other", .basis_points = 100}));
    ASSERT_TRUE(bring(acme_));
    EXPECT_EQ(bring(acme_, "other").error().reason, "attributed");
    EXPECT_EQ(see([&](store::Session& session) { return attribution_of(session, acme_)->partner; }), partner_.id);
    EXPECT_EQ(bring(beta_, "green-leaf", "Leaf@Example.com").error().reason, "self_referral");
    ASSERT_TRUE(add({.code = "own", .name = "Own", .basis_points = 100, .tenant = beta_}));
    EXPECT_EQ(bring(beta_, "own").error().reason, "self_referral");
    EXPECT_EQ(bring(beta_, "nosuch").error().reason, "partner_not_found");
    ASSERT_TRUE(write([&](store::Session& session) { return end_partner(session, "other", clock_.now()); }));
    EXPECT_EQ(bring(beta_, "other").error().reason, "partner_not_found");
}

TEST_F(Partners, OnlyInvoicesOfItsTimeCount) {
    paid_invoice(10'000, "before");
    partner_ = add({.code = "short", .name = "Short", .basis_points = 1000, .months = 2}).value();
    clock_.advance(1h);
    ASSERT_TRUE(bring(acme_, "short"));
    EXPECT_EQ(advance(), 0) << "it was issued before the customer came by this partner";
    paid_invoice(20'000, "within");
    EXPECT_EQ(advance(), 1);
    clock_.advance(24h * 70);
    paid_invoice(40'000, "after");
    EXPECT_EQ(advance(), 0);
    EXPECT_EQ(balance_now().due, 2'000);
}

TEST_F(Partners, BadOnesAreNamed) {
    const auto fault = [&](Partner partner) { return add(std::move(partner)).error().param; };
    EXPECT_EQ(fault({.code = "x", .name = "X", .basis_points = 1}), "code");
    EXPECT_EQ(fault({.code = "xyz", .basis_points = 1}), "name");
    EXPECT_EQ(fault({.code = "xyz", .name = "X"}), "basis_points");
    EXPECT_EQ(fault({.code = "xyz", .name = "X", .basis_points = 1, .hold_days = 366}), "hold_days");
    EXPECT_EQ(add({.code = "GREEN-leaf", .name = "X", .basis_points = 1}).error().reason, "partner_exists");
}

TEST_F(Partners, VerifySeesABalanceThatIsNotItsCommissions) {
    ASSERT_TRUE(bring(acme_));
    paid_invoice(10'000, "bank 1");
    advance();
    expect_books_in_order();
    ASSERT_TRUE(write([&](store::Session& session) -> Result<void> {
        session.execute(
            "INSERT INTO commission (id, partner_id, tenant_id, invoice_id, number, currency, amount, booked_at, "
            "hold_until, payout_id) SELECT 'com_x', partner_id, tenant_id, invoice_id, 2, currency, 1, booked_at, "
            "hold_until, '' FROM commission");
        return {};
    }));
    EXPECT_FALSE(verified().problems.empty());
}

}  // namespace
}  // namespace rootstock::ledger
