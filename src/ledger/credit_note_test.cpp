#include "ledger/credit_note.h"

#include "ledger/test_invoices.h"

namespace rootstock::ledger {
namespace {

class CreditNoteTest : public Invoicing {};

TEST_F(CreditNoteTest, AFullCreditIsTheInvoiceExactly) {
    tax(acme_, 2000);
    const auto bill = issued(acme_, {line(6833), line(6833), line(5750), line(8500)});
    ASSERT_EQ(bill.total, 33499);
    const auto note = credited(bill.id).value();
    EXPECT_EQ(note.kind, "offset");
    EXPECT_EQ(note.amount, bill.subtotal);
    EXPECT_EQ(note.tax, bill.tax);
    EXPECT_EQ(number_text(note.series, note.number), "CN-000001");
    EXPECT_EQ(seen(bill.id).status, InvoiceStatus::paid);
    EXPECT_EQ(balance_of(acme_).owed.value, 0);
    EXPECT_EQ(credited(bill.id).error().reason, "above_invoice");
    expect_books_in_order();
}

TEST_F(CreditNoteTest, TheLastNoteTakesWhatRoundingLeft) {
    tax(acme_, 700);
    const auto bill = issued(acme_, {line(100), line(10)});
    ASSERT_EQ(bill.lines[0].tax, 7);
    ASSERT_EQ(bill.tax, 8);
    std::int64_t taxes = 0;
    for (const std::int64_t part : {33, 33, 34}) taxes += credited(bill.id, {{1, part}}).value().tax;
    EXPECT_EQ(taxes, 7);
    const auto last = credited(bill.id).value();
    EXPECT_EQ(last.amount, 10);
    EXPECT_EQ(last.tax, 1);
    expect_books_in_order();
}

TEST_F(CreditNoteTest, NeverMoreThanTheInvoice) {
    tax(acme_);
    const auto bill = issued(acme_, {line(1000), line(-200)});
    EXPECT_EQ(credited(bill.id, {{1, 1001}}).error().reason, "above_invoice");
    EXPECT_EQ(credited(bill.id, {{1, 1000}}).error().reason, "above_invoice") << "more than the sum of all lines";
    EXPECT_EQ(credited(bill.id, {{2, 10}}).error().reason, "above_invoice") << "the line gives already";
    EXPECT_EQ(credited(bill.id, {{3, 10}}).error().reason, "no_such_line");
    EXPECT_EQ(credited(bill.id, {{1, 0}}).error().param, "lines");
    EXPECT_EQ(credited(bill.id, {{1, 10}, {1, 10}}).error().param, "lines");
    EXPECT_EQ(credited(bill.id, {{1, 10}}, "gift").error().param, "kind");
    EXPECT_EQ(credited(bill.id, {{1, 10}}, "credit").error().reason, "above_invoice") << "nothing was paid";
    EXPECT_TRUE(credited(bill.id, {{1, 800}}));
    EXPECT_EQ(credited(bill.id, {{1, 1}}).error().reason, "above_invoice");
    expect_books_in_order();
}

TEST_F(CreditNoteTest, ACreditIsUsedByTheNextInvoice) {
    const auto bill = issued(acme_, {line(1000)});
    ASSERT_TRUE(paid(bill.id, 1000, "bank 1"));
    EXPECT_EQ(credited(bill.id, {{1, 300}})->kind, "credit");
    EXPECT_EQ(credit_of(acme_), 300);
    EXPECT_EQ(issued(acme_, {line(1000)}).total, 700);
    expect_books_in_order();
}

TEST_F(CreditNoteTest, ARefundIsOwedUntilItIsPaid) {
    const auto bill = issued(acme_, {line(1000)});
    ASSERT_TRUE(paid(bill.id, 1000, "bank 1"));
    const auto note = credited(bill.id, {{1, 600}}, "refund").value();
    EXPECT_EQ(credit_of(acme_), 0);
    EXPECT_EQ(credited(bill.id, {{1, 500}}, "refund").error().reason, "above_invoice");
    const auto settle = [&](const std::string& ref) {
        return write([&](store::Session& session) { return settle_refund(session, note.id, ref, clock_.now()); });
    };
    EXPECT_EQ(settle("re_1")->refund_ref, "re_1");
    EXPECT_EQ(settle("re_1")->refund_ref, "re_1") << "told twice, booked once";
    EXPECT_EQ(settle("re_2").error().reason, "credit_note_state");
    const auto other = credited(bill.id).value();
    EXPECT_EQ(write([&](store::Session& session) { return settle_refund(session, other.id, "re_3", clock_.now()); })
                  .error()
                  .reason,
              "credit_note_state")
        << "a credit is no refund";
    EXPECT_FALSE(write([&](store::Session& session) -> Result<void> {
        session.execute("UPDATE credit_note SET amount = 1");
        return {};
    }));
    expect_books_in_order();
}

}  // namespace
}  // namespace rootstock::ledger
