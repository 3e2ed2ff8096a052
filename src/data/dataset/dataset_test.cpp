#include "data/dataset/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "data/test_places.h"

namespace rootstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Dataset : public testing::Test {
protected:
    std::filesystem::path file(const std::string& bytes, const std::string& name = "t.csv") {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    }
    TextDataset read(const std::string& bytes, const TextDatasetOptions& options = {}) {
        auto dataset = read_labelled_texts(file(bytes), options);
        EXPECT_TRUE(dataset) << dataset.error().message;
        return dataset ? *dataset : TextDataset{};
    }
    Error error_of(const std::string& bytes, const TextDatasetOptions& options = {}) {
        auto dataset = read_labelled_texts(file(bytes), options);
        EXPECT_FALSE(dataset) << bytes;
        return dataset ? Error{} : dataset.error();
    }

    test::TemporaryFolder folder_;
};

TEST_F(Dataset, LearnsLabelsInTheOrderOfTheirBytes) {
    auto dataset = read("text,label\nfirst, \nfirst one,zebra\nanother, apple \nthird,zebra\n");
    EXPECT_THAT(dataset.labels, ElementsAre("apple", "zebra"));
    EXPECT_THAT(dataset.examples,
                ElementsAre(TextExample{"first one", 1, 2}, TextExample{"another", 0, 3}, TextExample{"third", 1, 4}));
    EXPECT_EQ(dataset.rows, 4);
    EXPECT_EQ(dataset.digest, sha256_file(folder_ / "t.csv").value());
}

TEST_F(Dataset, KeepsUnusableRowsAsideWithTheirReasons) {
    auto dataset = read("text,label\n   ,x\na,\nb,x,more\ncaf\xE9,x\nc,x\nd,y\n");
    ASSERT_EQ(dataset.problems.size(), 4u);
    EXPECT_THAT(dataset.problems[0].reason, HasSubstr("the text is empty"));
    EXPECT_EQ(dataset.problems[0].field, "text");
    EXPECT_THAT(dataset.problems[1].reason, HasSubstr("the label is empty"));
    EXPECT_THAT(dataset.problems[2].reason, HasSubstr("3 fields"));
    EXPECT_THAT(dataset.problems[3].reason, HasSubstr("UTF-8"));
    EXPECT_EQ(dataset.problems[3].row, 4);
    EXPECT_EQ(dataset.problems[3].line, 5);
    EXPECT_EQ(dataset.examples.size(), 2u);
}

TEST_F(Dataset, KeepsKnownLabelsInTheirOrderAndReportsUnknownOnes) {
    auto dataset = read("text,label\na,x\nb,new\nc,y\n", {.known_labels = {"y", "x", "z"}});
    EXPECT_THAT(dataset.labels, ElementsAre("y", "x", "z"));
    EXPECT_EQ(dataset.examples[0].label, 1);
    ASSERT_EQ(dataset.problems.size(), 1u);
    EXPECT_THAT(dataset.problems[0].reason, HasSubstr("'new' is not one of the 3"));
    EXPECT_EQ(read("text,label\na,x\n", {.known_labels = {"y", "x"}}).examples.size(), 1u)
        << "one label may suffice here";
}

TEST_F(Dataset, WarnsOfRareLabelsAndContradictions) {
    auto dataset = read("text,label\na,x\na,x\na,y\nb,x\nc,once\nd,y\n");
    EXPECT_EQ(dataset.duplicates, 1);
    ASSERT_EQ(dataset.warnings.size(), 2u);
    EXPECT_THAT(dataset.warnings[0], HasSubstr("1 text stands under more than one label"));
    EXPECT_THAT(dataset.warnings[1], HasSubstr("one label is seen once only ('once')"));
    EXPECT_EQ(dataset.examples.size(), 6u);
}

TEST_F(Dataset, FindsColumnsByName) {
    auto dataset = read("id,Category,when,Message\n1,x,2020,hello\n2,y,2021,there\n");
    EXPECT_EQ(dataset.text_column, "Message");
    EXPECT_EQ(dataset.label_column, "Category");
    auto chinese = read("\u6587\u672c,\u6807\u7b7e\n\u4f60\u597d,a\n\u518d\u89c1,b\n");
    EXPECT_EQ(chinese.text_column, "\u6587\u672c");
}

TEST_F(Dataset, FindsColumnsByContent) {
    std::string rows = "nr,was,art\n";
    for (int i = 0; i < 20; ++i)
        rows += fmt::format("{},the card number {} is not accepted here,{}\n", i, i * i, i % 2 ? "a" : "b");
    auto dataset = read(rows);
    EXPECT_EQ(dataset.text_column, "was");
    EXPECT_EQ(dataset.label_column, "art");
}

TEST_F(Dataset, ListsTheColumnsWhenUnsure) {
    auto error = error_of("a,b,c\nx,y,z\nu,v,w\n");
    EXPECT_THAT(error.message, HasSubstr("cannot tell which column holds the texts; name it with --text"));
    EXPECT_THAT(error.message, HasSubstr("'a', 'b', 'c'"));
    EXPECT_EQ(error.param, "text");
    EXPECT_THAT(error_of("text,b,c\nhello,y,z\nyou,v,w\n").message, HasSubstr("--label"));
}

TEST_F(Dataset, RefusesMissingColumnsNamingThoseFound) {
    auto error = error_of("text,label\na,x\nb,y\n", {.label_column = "intent"});
    EXPECT_EQ(error.code, ErrorCode::invalid_argument);
    EXPECT_THAT(error.message,
                HasSubstr("t.csv: there is no label column 'intent'; the file has the columns 'text', 'label'"));
    EXPECT_THAT(error_of("text,label\na,x\n", {.text_column = "label", .label_column = "label"}).message,
                HasSubstr("same column"));
}

TEST_F(Dataset, RefusesFilesThatCannotTeachAnything) {
    EXPECT_THAT(error_of("").message, HasSubstr("is empty"));
    EXPECT_THAT(error_of("text,label\n").message, HasSubstr("no data rows"));
    EXPECT_THAT(error_of("text,label\n,x\na,\n").message,
                HasSubstr("none of its 2 rows can be used; the first is row 1 (line 2), text:"));
    EXPECT_THAT(error_of("text,label\na,x\nb,x\n").message, HasSubstr("one label only ('x')"));
    EXPECT_THAT(error_of("text,label\na,x\nb,y\nc,z\n").message, HasSubstr("a label of its own"));
}

TEST_F(Dataset, ReadsTheSharedDataSets) {
    auto data = test::shared_data();
    if (!std::filesystem::exists(data))
        GTEST_SKIP() << "no shared data sets; set ROOTSTOCK_SHARED_DATA to their folder";
    auto train = read_labelled_texts(data / "banking77" / "train.csv").value();
    EXPECT_EQ(train.examples.size(), 10'003u);
    EXPECT_EQ(train.labels.size(), 77u);
    EXPECT_TRUE(std::ranges::is_sorted(train.labels));
    EXPECT_THAT(train.problems, IsEmpty());
    auto test = read_labelled_texts(data / "banking77" / "test.csv", {.known_labels = train.labels}).value();
    EXPECT_EQ(test.examples.size(), 3'080u);
    EXPECT_THAT(test.problems, IsEmpty());
    TextDatasetOptions no_header;
    no_header.read.header = false;
    auto sms = read_labelled_texts(data / "sms-spam" / "SMSSpamCollection", no_header).value();
    EXPECT_EQ(sms.examples.size(), 5'574u);
    EXPECT_THAT(sms.labels, ElementsAre("ham", "spam"));
    EXPECT_EQ(sms.text_column, "2");
    EXPECT_EQ(sms.duplicates, 403) << "as the source says";
    EXPECT_EQ(read_labelled_texts(data / "sms-spam" / "SMSSpamCollection")->examples.size(), 5'574u)
        << "header detected";
    auto tweets = read_labelled_texts(data / "hate-offensive-tweets" / "labeled_data.csv").value();
    EXPECT_EQ(tweets.text_column, "tweet");
    EXPECT_EQ(tweets.labels.size(), 3u);
}

std::vector<TextExample> many_examples() {
    std::vector<TextExample> examples;
    for (int i = 0; i < 1000; ++i) {
        auto label = i % 10 == 0 ? 0 : 1 + i % 3;
        examples.push_back({"text " + std::to_string(i % 700), label, i + 1});
    }
    examples.push_back({"the only one", 4, 1001});
    return examples;
}

TEST(SplitStratified, HoldsOutTheShareOfEveryLabel) {
    auto examples = many_examples();
    auto split = split_stratified(examples, 0.2, 42);
    EXPECT_EQ(split.train.size() + split.held_out.size(), examples.size());
    EXPECT_NEAR(static_cast<double>(split.held_out.size()), 200, 3);
    std::map<int, double> held, all;
    for (auto i : split.held_out) ++held[examples[i].label];
    for (const auto& example : examples) ++all[example.label];
    for (int label = 0; label < 4; ++label) EXPECT_NEAR(held[label] / all[label], 0.2, 0.08) << label;
    EXPECT_EQ(held.count(4), 0u) << "a label seen once stays in training";
    EXPECT_TRUE(std::ranges::is_sorted(split.train) && std::ranges::is_sorted(split.held_out));
}

TEST(SplitStratified, KeepsEqualTextsOnOneSide) {
    auto examples = many_examples();
    auto split = split_stratified(examples, 0.3, 7);
    std::set<std::string> learned;
    for (auto i : split.train) learned.insert(examples[i].text);
    for (auto i : split.held_out) EXPECT_FALSE(learned.contains(examples[i].text)) << examples[i].text;
}

TEST(SplitStratified, DependsOnTheSeedOnly) {
    auto examples = many_examples();
    EXPECT_EQ(split_stratified(examples, 0.2, 1).held_out, split_stratified(examples, 0.2, 1).held_out);
    EXPECT_NE(split_stratified(examples, 0.2, 1).held_out, split_stratified(examples, 0.2, 2).held_out);
    EXPECT_THAT(split_stratified(examples, 0, 1).held_out, IsEmpty());
}

TEST(SplitStratified, AddsSmallLabelsUpToTheShare) {
    std::vector<TextExample> examples;
    for (int i = 0; i < 200; ++i) examples.push_back({"text " + std::to_string(i), i / 4, i + 1});  // 4 rows a label
    EXPECT_NEAR(static_cast<double>(split_stratified(examples, 0.1, 3).held_out.size()), 20, 1);
}

TEST(SplitStratified, LeavesEveryLabelSomethingToLearnFrom) {
    std::vector<TextExample> examples;
    for (int i = 0; i < 50; ++i) examples.push_back({"text " + std::to_string(i), i, i + 1});  // every label once
    EXPECT_THAT(split_stratified(examples, 0.3, 3).held_out, IsEmpty());
    auto all = split_stratified(many_examples(), 1, 3);
    std::set<int> learned;
    for (auto i : all.train) learned.insert(many_examples()[i].label);
    EXPECT_EQ(learned.size(), 5u);
}

TEST(RowsFile, GivesBackWhatWasWritten) {
    test::TemporaryFolder folder;
    std::vector<TextExample> examples{{"a \"quoted\"\nline \u4f60\u597d", 1, 17}, {"b", 0, 18}};
    ASSERT_TRUE(write_training_rows(folder / "train.jsonl", examples));
    EXPECT_EQ(read_training_rows(folder / "train.jsonl", 2).value(), examples);
}

TEST(RowsFile, NamesTheLineOfADamagedFile) {
    test::TemporaryFolder folder;
    auto error_of = [&](const std::string& bytes) {
        std::ofstream(folder / "train.jsonl") << bytes;
        auto rows = read_training_rows(folder / "train.jsonl", 2);
        EXPECT_FALSE(rows);
        return rows ? Error{} : rows.error();
    };
    std::string good = "{\"text\":\"a\",\"label\":1,\"row\":1}\n";
    EXPECT_THAT(error_of(good + "{\"text\":\"a\",\"lab").message, HasSubstr("line 2"));
    EXPECT_EQ(error_of(good + "{\"text\":\"a\",\"label\":2,\"row\":2}\n").code, ErrorCode::corrupt);
    EXPECT_THAT(error_of("{\"text\":\"a\",\"label\":1}\n").message, HasSubstr("'row' is missing"));
    EXPECT_EQ(read_training_rows(folder / "none", 2).error().code, ErrorCode::not_found);
}

TEST(RowsFile, WritesProblemsOneALine) {
    test::TemporaryFolder folder;
    std::vector<Problem> problems{{17, 19, "label", "the label is empty"}};
    ASSERT_TRUE(write_problems(folder / "problems.jsonl", problems));
    EXPECT_EQ(read_file(folder / "problems.jsonl").value(),
              "{\"row\":17,\"line\":19,\"field\":\"label\",\"reason\":\"the label is empty\"}\n");
}

}  // namespace
}  // namespace rootstock
