#include "flow/invoice_paper.h"

#include <gtest/gtest.h>

namespace rootstock::bill {
namespace {

ledger::Invoice invoice(std::string language = "en") {
    ledger::Invoice invoice{.series = "INV",
                            .number = 17,
                            .status = ledger::InvoiceStatus::open,
                            .currency = "USD",
                            .period = ledger::month("2026-11").value(),
                            .issued = Timestamp{1'796'083'200'000'000},
                            .due = Timestamp{1'797'292'800'000'000}};
    invoice.issuer = {.name = "Rootstock GmbH", .address = "Speicherstadt 1\n20457 Hamburg", .country = "DE"};
    invoice.customer = {.name = "=Acme", .country = "DE", .language = std::move(language)};
    const ledger::ChargeLine charge{.kind = "usage",
                                    .meter = "tokens",
                                    .model = "minilm",
                                    .quantity = 1'234'567,
                                    .unit = "input tokens",
                                    .service = invoice.period,
                                    .amount = 2469,
                                    .currency = "USD",
                                    .decimals = 2,
                                    .detail = "{\"adapter\":\"intent@1\"}"};
    invoice.lines.push_back({charge, invoice.period, 2469, 469});
    invoice.taxes.push_back({{.name = "VAT", .country = "DE", .basis_points = 1900, .starts = {0}}, 2469, 469});
    invoice.subtotal = 2469;
    invoice.tax = 469;
    invoice.total = 2938;
    return invoice;
}

TEST(InvoicePaper, SaysWhatTheInvoiceSays) {
    const auto document = sheet_of(invoice());
    EXPECT_EQ(document.number, "INV-000017");
    EXPECT_EQ(document.from, (std::vector<std::string>{"Rootstock GmbH", "Speicherstadt 1", "20457 Hamburg", "DE"}));
    EXPECT_EQ(document.rows.at(0), (std::vector<std::string>{"minilm · intent@1\ninput tokens",
                                                             "2026-11-01 – 2026-11-30", "1,234,567", "4.69", "24.69"}));
    EXPECT_EQ(document.sums.at(1).label, "VAT 19 %");
    EXPECT_EQ(document.sums.back().text, "29.38 USD");
    EXPECT_TRUE(document.stamp.empty());
}

TEST(InvoicePaper, InChineseToo) {
    const auto document = sheet_of(invoice("zh"));
    EXPECT_EQ(document.title, "账单");
    EXPECT_EQ(document.rows.at(0).at(0), "minilm · intent@1\n输入 token");
    EXPECT_TRUE(pdf_of(invoice("zh"))->starts_with("%PDF-"));
}

TEST(InvoicePaper, ADraftSaysSo) {
    auto draft = invoice();
    draft.number = 0;
    draft.status = ledger::InvoiceStatus::draft;
    EXPECT_EQ(sheet_of(draft).stamp, "DRAFT");
}

TEST(InvoicePaper, CsvCellsDoNotRun) {
    const auto text = csv_of(invoice());
    EXPECT_NE(text.find("INV-000017,\"'=Acme\",1,usage,minilm,intent@1,input tokens,2026-11-01T00:00:00Z,"
                        "2026-12-01T00:00:00Z,1234567,24.69,4.69,USD\r\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find(",total,,,,,,,29.38,0.00,USD\r\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace rootstock::bill
