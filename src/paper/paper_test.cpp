#include "paper/paper.h"

#include <gtest/gtest.h>

namespace rootstock::paper {
namespace {

Document letter(std::size_t rows) {
    Document document{.title = "Invoice",
                      .number = "INV-000001",
                      .from = {"Rootstock GmbH", "Speicherstadt 1"},
                      .to_label = "Bill to",
                      .to = {"Acme"},
                      .facts = {{"Due", "2026-12-22"}},
                      .columns = {{"Item", 3}, {"Net", 1, true}},
                      .sums = {{"To pay", "12.35 USD"}},
                      .made = {1'795'000'000'000'000}};
    for (std::size_t i = 0; i < rows; ++i) document.rows.push_back({"数据 minilm · intent@1", "0.01"});
    return document;
}

std::size_t pages_of(const std::string& pdf) {
    std::size_t pages = 0;
    for (std::size_t at = 0; (at = pdf.find("/Type /Page", at)) != std::string::npos; at += 11)
        pages += pdf[at + 11] != 's';
    return pages;
}

TEST(PdfTest, OnePageOrAsManyAsItTakes) {
    const auto one = pdf(letter(3)).value();
    EXPECT_TRUE(one.starts_with("%PDF-"));
    EXPECT_EQ(pages_of(one), 1U);
    EXPECT_GT(pages_of(pdf(letter(200)).value()), 3U);
    EXPECT_EQ(pages_of(pdf(letter(0)).value()), 1U);
}

TEST(PdfTest, FontsAreEmbeddedAndTheBytesRepeat) {
    const auto first = pdf(letter(3)).value();
    EXPECT_NE(first.find("/FontFile"), std::string::npos);
    EXPECT_EQ(first, pdf(letter(3)).value());
}

TEST(PdfTest, OddTextIsDrawnToo) {
    auto document = letter(1);
    document.rows.push_back({std::string(5000, 'x'), "\xff\xfe"});
    document.rows.push_back({"one cell"});
    EXPECT_TRUE(pdf(document));
}

TEST(CsvTest, NoCellRunsInASpreadsheet) {
    EXPECT_EQ(csv({{"=1+1", "+1+1", "-1+1", "@SUM", "\tx", "\rx"}}),
              "\"'=1+1\",\"'+1+1\",\"'-1+1\",\"'@SUM\",\"'\tx\",\"'\rx\"\r\n");
    EXPECT_EQ(csv({{"-5.00", "5", "a,b", "say \"x\"", "two\nlines", ""}}),
              "-5.00,5,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\r\n");
    EXPECT_EQ(csv({{"-", "-.5", "-1.2.3"}}), "\"'-\",\"'-.5\",\"'-1.2.3\"\r\n");
}

}  // namespace
}  // namespace rootstock::paper
