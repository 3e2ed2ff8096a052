#include "ledger/invoice.h"

#include "ledger/test_invoices.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class InvoiceTest : public Invoicing {
protected:
    // So many tokens at 0.02 per thousand, used in November.
    void use(const TenantId& tenant, std::int64_t tokens) {
        const auto now = clock_;
        clock_ = ManualClock{Timestamp{1'795'000'000'000'000}};
        ASSERT_TRUE(settle(hold(tenant, tokens).value(), tokens));
        clock_ = now;
    }
    Invoice looked_ahead(const TenantId& tenant, const Period& period) {
        return database_->read([&](store::Session& session) {
                            return preview(session, {tenant, "Acme GmbH", period});
                        })
            .value();
    }
    std::int64_t owed(const TenantId& tenant) { return balance_of(tenant).owed.value; }
};

// Every step in every state, as a table: the state after it, or "" for a step that is refused.
TEST_F(InvoiceTest, LegalAndIllegalSteps) {
    struct Row {
        const char *from, *finalize, *pay, *void_it, *give_up, *remove, *credit;
    };
    constexpr Row table[] = {
        {"draft", "open", "", "", "", "gone", ""},
        {"open", "", "paid", "void", "uncollectible", "", "paid"},
        {"paid", "", "", "", "", "", "paid"},
        {"void", "", "", "", "", "", ""},
        {"uncollectible", "", "paid", "void", "", "", "paid"},
    };
    int payments = 0;
    const auto bring_to = [&](const std::string& state) {
        auto invoice = drafted(acme_, {line(1000)}).value();
        if (state == "draft") return invoice.id;
        EXPECT_TRUE(finalized(invoice.id));
        if (state == "paid") {
            EXPECT_TRUE(paid(invoice.id, 1000, "before " + std::to_string(++payments)));
        }
        if (state == "void") {
            EXPECT_TRUE(voided(invoice.id));
        }
        if (state == "uncollectible") {
            EXPECT_TRUE(given_up(invoice.id));
        }
        EXPECT_EQ(name(seen(invoice.id).status), state);
        return invoice.id;
    };
    const auto expect = [&](const std::string& from, const std::string& to, const InvoiceId& id,
                            const Result<void>& done) {
        if (to.empty()) {
            ASSERT_FALSE(done) << from;
            EXPECT_EQ(done.error().code, ErrorCode::conflict);
            EXPECT_EQ(done.error().reason, "invoice_state");
            EXPECT_NE(done.error().message.find(" is " + from), std::string::npos) << done.error().message;
            EXPECT_EQ(name(seen(id).status), from) << "a refused step changes nothing";
        } else {
            ASSERT_TRUE(done) << from << ": " << done.error().message;
            if (to != "gone") {
                EXPECT_EQ(name(seen(id).status), to);
            }
        }
    };
    const auto outcome = [](const auto& result) -> Result<void> {
        if (!result) return fail(result.error());
        return {};
    };
    for (const Row& row : table) {
        auto id = bring_to(row.from);
        expect(row.from, row.finalize, id, outcome(finalized(id)));
        id = bring_to(row.from);
        expect(row.from, row.pay, id, outcome(paid(id, 1000, "now " + std::to_string(++payments))));
        id = bring_to(row.from);
        expect(row.from, row.void_it, id, outcome(voided(id)));
        id = bring_to(row.from);
        expect(row.from, row.give_up, id, outcome(given_up(id)));
        id = bring_to(row.from);
        expect(row.from, row.remove, id, write([&](store::Session& session) { return delete_draft(session, id); }));
        id = bring_to(row.from);
        expect(row.from, row.credit, id, outcome(credited(id, {}, std::string(row.from) == "paid" ? "refund" : "")));
    }
    expect_books_in_order();
}

TEST_F(InvoiceTest, ThePreviewIsTheBill) {
    tax(acme_);
    use(acme_, 1'234'567);
    const auto before = looked_ahead(acme_, november());
    const auto draft = drafted(acme_).value();
    const auto bill = finalized(draft.id).value();
    EXPECT_EQ(before.subtotal, 2469);
    EXPECT_EQ(before.tax, 469);
    for (const Invoice* other : {&before, &draft}) {
        EXPECT_EQ(other->total, bill.total);
        EXPECT_EQ(other->tax, bill.tax);
        ASSERT_EQ(other->lines.size(), bill.lines.size());
    }
    EXPECT_EQ(bill.status, InvoiceStatus::open);
    EXPECT_EQ(number_text(bill.series, bill.number), "INV-000001");
    EXPECT_EQ(bill.customer.name, "Acme GmbH");
    EXPECT_EQ(bill.due->micros - bill.issued->micros, 14LL * 86'400'000'000);
    EXPECT_EQ(owed(acme_), 29'380'000) << "what is owed is the invoice, to the cent";
    expect_books_in_order();
}

TEST_F(InvoiceTest, NothingToPayIsPaidAtOnce) {
    const auto bill = issued(acme_);
    EXPECT_EQ(bill.status, InvoiceStatus::paid);
    EXPECT_EQ(bill.number, 1);
}

TEST_F(InvoiceTest, OneLiveInvoiceOfAPeriod) {
    use(acme_, 1'000'000);
    const auto first = drafted(acme_).value();
    const auto second = drafted(acme_);
    EXPECT_EQ(second.error().reason, "invoice_exists");
    EXPECT_NE(second.error().message.find("draft"), std::string::npos);
    ASSERT_TRUE(finalized(first.id));
    EXPECT_EQ(drafted(acme_).error().reason, "invoice_exists");
    ASSERT_TRUE(voided(first.id));
    EXPECT_TRUE(drafted(acme_)) << "a void invoice claims nothing";
    EXPECT_FALSE(write([&](store::Session& session) -> Result<void> {  // the index holds what the code asks
        session.execute(
            "INSERT INTO invoice SELECT 'inv_other', tenant_id, subscription_id, kind, issuer, series, number, status, "
            "currency, decimals, period_start, period_end, customer, wanted_lines, issued_at, due_at, due_days, "
            "subtotal, tax, credits, total, paid, offset_amount, replaces, snapshot, content_sha256, version, "
            "created_at, closed_at FROM invoice WHERE status = 'draft'");
        return {};
    }));
}

TEST_F(InvoiceTest, APeriodIsOverBeforeItsInvoice) {
    clock_ = ManualClock{{november().end.micros - 1}};
    const auto draft = drafted(acme_).value();
    EXPECT_EQ(finalized(draft.id).error().reason, "period_open");
    clock_.advance(1us);
    EXPECT_TRUE(finalized(draft.id));
}

TEST_F(InvoiceTest, LateUsageStandsOnTheNextInvoiceWithItsPeriod) {
    use(acme_, 1'000'000);
    const auto first = issued(acme_);
    EXPECT_EQ(first.total, 2000);
    use(acme_, 500'000);  // November's, after November's invoice
    EXPECT_EQ(seen(first.id).total, 2000);
    const auto december = month("2026-12").value();
    const auto next = looked_ahead(acme_, december);
    ASSERT_EQ(next.lines.size(), 1U);
    EXPECT_EQ(next.lines[0].charge.amount, 1000);
    EXPECT_EQ(next.lines[0].charge.service, november());
    EXPECT_EQ(next.lines[0].origin, november());
    clock_ = ManualClock{december.end};
    const auto draft = write([&](store::Session& session) {
                           return ledger::draft(session, {acme_, "Acme", december}, clock_.now());
                       }).value();
    ASSERT_TRUE(finalized(draft.id));
    EXPECT_EQ(owed(acme_), 30'000'000);
    EXPECT_TRUE(looked_ahead(acme_, month("2027-01").value()).lines.empty()) << "billed once";
    expect_books_in_order();
}

TEST_F(InvoiceTest, AReissueAfterLateUsageBillsNothingTwice) {
    use(acme_, 1'000'000);
    const auto first = issued(acme_);
    use(acme_, 500'000);
    const auto december = month("2026-12").value();
    clock_ = ManualClock{december.end};
    const auto second = write([&](store::Session& session) {
                            return ledger::draft(session, {acme_, "Acme", december}, clock_.now());
                        }).value();
    ASSERT_TRUE(finalized(second.id));
    const auto again = write([&](store::Session& session) { return reissue(session, first.id, clock_.now()); }).value();
    EXPECT_EQ(again.replaces, first.id.text());
    EXPECT_EQ(again.total, 2000);
    EXPECT_EQ(finalized(again.id)->number, 3);
    EXPECT_EQ(owed(acme_), 30'000'000);
    expect_books_in_order();
}

TEST_F(InvoiceTest, BelowZeroBecomesCustomerCredit) {
    tax(acme_, 2000);
    const auto back = issued(acme_, {line(1000), line(-1500)});
    EXPECT_EQ(back.total, 0);
    EXPECT_EQ(back.credits, -600);
    EXPECT_EQ(back.status, InvoiceStatus::paid);
    EXPECT_EQ(credit_of(acme_), 600);
    const auto next = issued(acme_, {line(1000)});
    EXPECT_EQ(next.credits, 600) << "used after tax";
    EXPECT_EQ(next.total, 600);
    EXPECT_EQ(credit_of(acme_), 0);
    ASSERT_TRUE(voided(next.id));
    EXPECT_EQ(credit_of(acme_), 600) << "a void invoice gives it back";
    expect_books_in_order();
}

TEST_F(InvoiceTest, WhatGrantsPaidIsNotTakenOffTwice) {
    const auto later = clock_;
    clock_ = ManualClock{Timestamp{1'795'000'000'000'000}};
    ASSERT_TRUE(write([&](store::Session& session) {
        return grant(session, {.tenant = acme_, .amount = Micros{10'000'000}}, clock_.now());
    }));
    clock_ = later;
    use(acme_, 1'500'000);
    EXPECT_EQ(issued(acme_).total, 2000);
    EXPECT_EQ(owed(acme_), 20'000'000) << "the grant left the receivable when it was given";
    expect_books_in_order();
}

TEST_F(InvoiceTest, PartsOfAPaymentAreKept) {
    const auto bill = issued(acme_, {line(1000)});
    EXPECT_EQ(paid(bill.id, 400, "bank 1")->left(), 600);
    EXPECT_EQ(paid(bill.id, 400, "bank 1")->left(), 600) << "told twice, booked once";
    EXPECT_EQ(paid(bill.id, 500, "bank 1").error().reason, "payment_mismatch");
    EXPECT_EQ(voided(bill.id).error().reason, "invoice_state");
    const auto done = paid(bill.id, 700, "bank 2").value();
    EXPECT_EQ(done.status, InvoiceStatus::paid);
    EXPECT_EQ(done.paid, 1000);
    EXPECT_EQ(credit_of(acme_), 100) << "what was too much";
    EXPECT_EQ(paid(bill.id, 700, "bank 2")->status, InvoiceStatus::paid);
    EXPECT_EQ(owed(acme_), 0);
    expect_books_in_order();
}

TEST_F(InvoiceTest, WhatIsIssuedStaysAsItIs) {
    tax(acme_);
    const auto bill = issued(acme_, {line(1000)});
    for (const char* change :
         {"UPDATE invoice SET total = 1, subtotal = 1, tax = 0", "UPDATE invoice SET snapshot = ''",
          "UPDATE invoice SET number = 7", "UPDATE invoice SET status = 'draft', number = 0", "DELETE FROM invoice",
          "UPDATE invoice_line SET amount = 1", "DELETE FROM invoice_line", "DELETE FROM invoice_tax",
          "UPDATE invoice_series SET last = 9", "DELETE FROM invoice_series"})
        EXPECT_FALSE(write([&](store::Session& session) -> Result<void> {
            session.execute(change);
            return {};
        })) << change;
    const auto write_details = [&](std::string name) {
        return write([&](store::Session& session) {
            return set_billing_details(session, acme_, {.name = std::move(name), .country = "FR"}, clock_.now());
        });
    };
    ASSERT_TRUE(write_details("Acme SARL"));
    EXPECT_EQ(seen(bill.id).customer.name, "Acme GmbH") << "as it was when issued";
    Sha256 digest;
    digest.add(json::serialize(document_of(seen(bill.id))));
    auto unhashed = seen(bill.id);
    EXPECT_EQ(unhashed.content_sha256.size(), 64U);
    EXPECT_EQ(digest.hex(), unhashed.content_sha256);
}

TEST_F(InvoiceTest, NoInvoiceFromBooksThatDisagree) {
    use(acme_, 100'000);
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        s.execute("DROP TRIGGER usage_event_no_update");
        s.execute("UPDATE usage_event SET amount = amount + 1");
        return {};
    }));
    EXPECT_EQ(drafted(acme_).error().reason, "ledger_mismatch");
}

TEST_F(InvoiceTest, LinesOfAnotherCurrencyAreRefused) {
    auto yen = line(1000);
    yen.currency = "JPY";
    EXPECT_EQ(drafted(acme_, {yen}).error().param, "currency");
    EXPECT_EQ(drafted(TenantId("ten_none")).error().reason, "no_books");
}

}  // namespace
}  // namespace rootstock::ledger
