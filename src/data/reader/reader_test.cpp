#include "data/reader/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/test_places.h"

namespace rootstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Everything {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::int64_t> lines;
    std::vector<Problem> problems;
    std::vector<std::string> columns;
    RecordReader reader;
};

class Reader : public testing::Test {
protected:
    std::filesystem::path file(const std::string& name, const std::string& bytes) {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    }

    static Everything read_all(const std::filesystem::path& path, const ReadOptions& options = {}) {
        auto reader = RecordReader::open(path, options);
        if (!reader) throw std::runtime_error(reader.error().message);
        Everything all{{}, {}, {}, {}, std::move(*reader)};
        Record record;
        Problem problem;
        for (auto reading = all.reader.next(record, problem).value(); reading != Reading::end;
             reading = all.reader.next(record, problem).value()) {
            if (reading == Reading::problem) {
                all.problems.push_back(problem);
                continue;
            }
            all.rows.emplace_back();
            for (const auto& value : record.values) all.rows.back().push_back(value.value_or("(absent)"));
            all.lines.push_back(record.line);
        }
        all.columns = all.reader.columns();
        return all;
    }

    Everything read_text(const std::string& bytes, const ReadOptions& options = {}, const std::string& name = "t.csv") {
        return read_all(file(name, bytes), options);
    }

    Error error_of(const std::string& name, const std::string& bytes) {
        auto reader = RecordReader::open(file(name, bytes));
        EXPECT_FALSE(reader) << bytes;
        return reader ? Error{} : reader.error();
    }

    test::TemporaryFolder folder_;
};

TEST_F(Reader, ReadsQuotedFieldsWithDelimitersNewlinesAndQuotes) {
    auto all = read_text("text,label\r\n\"a, b\",x\r\n\"line 1\r\nline 2\n3\",y\r\n\"say \"\"hi\"\"\",z\r\n");
    EXPECT_THAT(all.columns, ElementsAre("text", "label"));
    EXPECT_THAT(all.rows, ElementsAre(ElementsAre("a, b", "x"), ElementsAre("line 1\r\nline 2\n3", "y"),
                                      ElementsAre("say \"hi\"", "z")));
    EXPECT_THAT(all.lines, ElementsAre(2, 3, 6));
    EXPECT_THAT(all.problems, IsEmpty());
}

TEST_F(Reader, TakesByteOrderMarkBlankLinesAndAMissingLastLineEnd) {
    auto all = read_text("\xEF\xBB\xBFtext,label\n\na,x\n\n\nb,y");
    EXPECT_THAT(all.columns, ElementsAre("text", "label"));
    EXPECT_THAT(all.rows, ElementsAre(ElementsAre("a", "x"), ElementsAre("b", "y")));
    EXPECT_THAT(all.lines, ElementsAre(3, 6));
    EXPECT_EQ(all.reader.rows(), 2);
}

TEST_F(Reader, ReadsFilesThatEndLinesWithCarriageReturnsOnly) {
    EXPECT_THAT(read_text("text,label\ra,x\rb,y\r").rows, ElementsAre(ElementsAre("a", "x"), ElementsAre("b", "y")));
}

TEST_F(Reader, DetectsTheDelimiter) {
    EXPECT_EQ(read_text("text;label\na, b, c;x\nd;y\n").reader.delimiter(), ';');
    EXPECT_EQ(read_text("text\tlabel\na, b\tx\nd;e\ty\n").reader.delimiter(), '\t');
    EXPECT_EQ(read_text("text,label\n\"a;b\tc\",x\n").reader.delimiter(), ',');
    EXPECT_EQ(read_text("text\nonly one column\n").reader.delimiter(), ',');
    EXPECT_EQ(read_text("a|b\n1|2\n", {.delimiter = '|'}).columns.size(), 2u);
}

TEST_F(Reader, TakesQuotesInTsvAsText) {
    auto all = read_text("text\tlabel\n\"He said\tx\nno \"quotes\" here\"\ty\n", {}, "t.tsv");
    EXPECT_THAT(all.rows, ElementsAre(ElementsAre("\"He said", "x"), ElementsAre("no \"quotes\" here\"", "y")));
}

TEST_F(Reader, TakesQuotesInTsvAsQuotesWhereEveryRowIsSoundWithThem) {
    auto all = read_text("text\tlabel\n\"a\tb\nc\"\tx\nd\ty\n", {}, "t.tsv");
    EXPECT_THAT(all.rows, ElementsAre(ElementsAre("a\tb\nc", "x"), ElementsAre("d", "y")));
}

TEST_F(Reader, DetectsWhetherThereIsAHeader) {
    EXPECT_FALSE(read_text("I lost my card,lost\nWhere is it,lost\n").reader.header()) << "a label comes again";
    EXPECT_FALSE(read_text("A11,6,1\nA12,48,2\n").reader.header()) << "numbers are no names";
    EXPECT_TRUE(read_text("frage,antwort\nWo?,Da.\nWann?,Morgen.\n").reader.header());
    EXPECT_TRUE(read_text("text,label\ntext,label\ntext,x\n").reader.header()) << "known names win";
}

TEST_F(Reader, NumbersColumnsWithoutHeader) {
    auto all = read_text("a,x\nb,y\n", {.header = false});
    EXPECT_THAT(all.columns, ElementsAre("1", "2"));
    EXPECT_EQ(all.rows.size(), 2u);
    EXPECT_THAT(read_text(",text\n1,a\n", {.header = true}).columns, ElementsAre("1", "text"));
}

TEST_F(Reader, ReportsRowsWithAnotherNumberOfFieldsAndGoesOn) {
    auto all = read_text("text,label\na,x\nb\nc, d,y\ne,z\n");
    EXPECT_EQ(all.rows.size(), 2u);
    ASSERT_EQ(all.problems.size(), 2u);
    EXPECT_EQ(all.problems[0].row, 2);
    EXPECT_EQ(all.problems[0].line, 3);
    EXPECT_THAT(all.problems[1].reason, HasSubstr("3 fields where 2"));
}

TEST_F(Reader, ReportsInvalidUtf8ByColumn) {
    auto all = read_text("text,label\ncaf\xE9,x\nok,y\n");
    ASSERT_EQ(all.problems.size(), 1u);
    EXPECT_EQ(all.problems[0].field, "text");
    EXPECT_THAT(all.problems[0].reason, HasSubstr("byte 4 (0xE9) is not valid UTF-8"));
    EXPECT_EQ(all.rows.size(), 1u);
}

TEST_F(Reader, ReadsOverRowsThatAreTooLarge) {
    std::string large(2'000'000, 'a'), commas(2'000'000, ',');
    auto all = read_text("text,label\n\"" + large + "\nstill inside\",x\n" + commas + "\nb,y\n");
    ASSERT_EQ(all.problems.size(), 2u);
    EXPECT_THAT(all.problems[0].reason, HasSubstr("larger than 1,048,576 bytes"));
    EXPECT_THAT(all.rows, ElementsAre(ElementsAre("b", "y")));
    EXPECT_THAT(all.lines, ElementsAre(5));
    auto exact = read_text("text,label\n" + std::string(10, 'a') + ",x\n", {.row_bytes_max = 12});
    EXPECT_EQ(exact.rows.size(), 1u) << "a row of exactly the largest size is taken";
    EXPECT_EQ(read_text("text,label\n" + std::string(11, 'a') + ",x\n", {.row_bytes_max = 12}).rows.size(), 0u);
}

TEST_F(Reader, SaysWhereAQuoteWasNeverClosed) {
    auto all = read_text("text,label\na,x\n\"b,y\nc,z\n", {.delimiter = ','});
    EXPECT_EQ(all.rows.size(), 1u);
    ASSERT_EQ(all.problems.size(), 1u);
    EXPECT_EQ(all.problems[0].line, 3);
    EXPECT_THAT(all.problems[0].reason, HasSubstr("never closed"));
}

TEST_F(Reader, ReportsTextBehindAClosingQuote) {
    auto all = read_text("text,label\n\"a\" b,x\nc,y\n");
    ASSERT_EQ(all.problems.size(), 1u);
    EXPECT_THAT(all.problems[0].reason, HasSubstr("after its closing quote"));
    EXPECT_EQ(all.rows.size(), 1u);
}

TEST_F(Reader, ReadsJsonLinesWhoseMembersDiffer) {
    auto all = read_text("{\"text\":\"a\\n\\u00e9\",\"label\":\"x\"}\r\n\n{\"label\":3,\"more\":[1,2],\"text\":null}\n",
                         {}, "t.jsonl");
    EXPECT_THAT(all.columns, ElementsAre("text", "label", "more"));
    EXPECT_THAT(all.rows, ElementsAre(ElementsAre("a\n\u00e9", "x"), ElementsAre("(absent)", "3", "[1,2]")));
    EXPECT_THAT(all.lines, ElementsAre(1, 3));
    EXPECT_EQ(all.reader.format(), TableFormat::jsonl);
}

TEST_F(Reader, ReportsBadJsonLinesAndGoesOn) {
    auto all = read_text("{\"text\":\"a\"}\n{\"text\":\n[1]\n{\"text\":\"\xFF\"}\n{\"text\":\"b\"}\n", {}, "t.jsonl");
    EXPECT_EQ(all.rows.size(), 2u);
    ASSERT_EQ(all.problems.size(), 3u);
    EXPECT_THAT(all.problems[0].reason, HasSubstr("not valid JSON"));
    EXPECT_THAT(all.problems[1].reason, HasSubstr("object"));
    EXPECT_THAT(all.problems[2].reason, HasSubstr("UTF-8"));
}

TEST_F(Reader, RecognisesJsonLinesByContent) {
    EXPECT_EQ(read_text("{\"text\":\"a\"}\n", {}, "data.txt").reader.format(), TableFormat::jsonl);
}

TEST_F(Reader, RefusesWhatIsNoTable) {
    EXPECT_THAT(error_of("a.csv", "").message, HasSubstr("is empty"));
    EXPECT_THAT(error_of("a.csv", "\xEF\xBB\xBF \r\n \n").message, HasSubstr("is empty"));
    EXPECT_THAT(error_of("a.csv", std::string("\xFF\xFEt\0e\0", 6)).message, HasSubstr("UTF-16"));
    EXPECT_THAT(error_of("a.csv", "PK\x03\x04...").message, HasSubstr("Excel"));
    EXPECT_THAT(error_of("a.csv", std::string("a,b\n\0,c\n", 8)).message, HasSubstr("zero bytes"));
    EXPECT_THAT(error_of("a.csv", "text,text\na,b\n").message, HasSubstr("two columns are called 'text'"));
    EXPECT_EQ(error_of("a.json", "[{\"text\":\"a\"}]").code, ErrorCode::unsupported);
    EXPECT_EQ(RecordReader::open(folder_ / "none.csv").error().code, ErrorCode::not_found);
    EXPECT_THAT(RecordReader::open(folder_.path()).error().message, HasSubstr("is a folder"));
}

TEST_F(Reader, HoldsNoMoreThanAChunkOfALargeFile) {
    auto path = folder_ / "large.csv";
    std::ofstream out(path);
    out << "text,label\n";
    for (int i = 0; i < 200'000; ++i) out << "\"row " << i << ", with\nnewline\",x" << i % 7 << "\n";
    out.close();
    auto all = read_all(path);
    EXPECT_EQ(all.rows.size(), 200'000u);
    EXPECT_EQ(all.rows.back()[0], "row 199999, with\nnewline");
    EXPECT_EQ(all.lines.back(), 400'000);
}

TEST_F(Reader, ReadsTheSharedDataSets) {
    auto data = test::shared_data();
    if (!std::filesystem::exists(data))
        GTEST_SKIP() << "no shared data sets; set ROOTSTOCK_SHARED_DATA to their folder";
    auto banking = read_all(data / "banking77" / "train.csv");
    EXPECT_EQ(banking.rows.size(), 10'003u);
    EXPECT_THAT(banking.problems, IsEmpty());
    auto with_newline = [](const auto& row) { return row[0].find('\n') != std::string::npos; };
    EXPECT_EQ(std::ranges::count_if(banking.rows, with_newline), 10);
    auto sms = read_all(data / "sms-spam" / "SMSSpamCollection");
    EXPECT_EQ(sms.rows.size(), 5'574u);
    EXPECT_FALSE(sms.reader.header());
    EXPECT_EQ(sms.reader.format(), TableFormat::tsv);
    auto tweets = read_all(data / "hate-offensive-tweets" / "labeled_data.csv");
    EXPECT_EQ(tweets.rows.size(), 24'783u);
    EXPECT_EQ(read_all(data / "ai4i2020" / "ai4i2020.csv").rows.size(), 10'000u);
    EXPECT_EQ(read_all(data / "goemotions" / "group" / "train.tsv").rows.size(), 43'410u);
    EXPECT_EQ(read_all(data / "restaurant-ratings" / "ratings.csv").rows.size(), 1'161u);
    EXPECT_EQ(read_all(data / "scitldr" / "dev.jsonl").rows.size(), 619u);
    auto latin1 = read_all(data / "restaurant-ratings" / "places.csv");
    EXPECT_GT(latin1.problems.size(), 0u);
    EXPECT_GT(latin1.rows.size(), 0u);
    EXPECT_THAT(latin1.problems[0].reason, HasSubstr("not valid UTF-8"));
}

TEST(FindInvalidUtf8, PointsAtTheFirstBadByte) {
    auto none = std::string_view::npos;
    EXPECT_EQ(find_invalid_utf8(""), none);
    EXPECT_EQ(find_invalid_utf8("plain ASCII of more than eight bytes"), none);
    EXPECT_EQ(find_invalid_utf8("\u00e9\u4f60\U0001F600\U0010FFFF"), none);
    EXPECT_EQ(find_invalid_utf8("12345678\xFF"), 8u);
    EXPECT_EQ(find_invalid_utf8("a\xC1\xBF"), 1u) << "overlong";
    EXPECT_EQ(find_invalid_utf8("a\xE0\x9F\xBF"), 1u) << "overlong";
    EXPECT_EQ(find_invalid_utf8("a\xED\xB0\x80"), 1u) << "surrogate";
    EXPECT_EQ(find_invalid_utf8("a\xF4\x90\x80\x80"), 1u) << "beyond Unicode";
    EXPECT_EQ(find_invalid_utf8("a\xE4\xBD"), 1u) << "cut off";
}

}  // namespace
}  // namespace rootstock
