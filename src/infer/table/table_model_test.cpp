#include "infer/table/table_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "infer/table/test_tables.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;
using test_tables::rows_of;
using test_tables::self_test_of;
using test_tables::training_rows;
using testing::HasSubstr;

class TableModels : public testing::Test {
protected:
    fs::path folder_ = fs::path(testing::TempDir()) / "table_model_test";

    void SetUp() override { fs::remove_all(folder_); }
    void make(LabelKind kind, const json::object& changes = {}) { test_tables::make(folder_, kind, changes); }
    void write_self_tests(const std::string& text) { test_tables::write_self_tests(folder_, text); }
};

TEST_F(TableModels, ClassesComeAsProbabilitiesInTheOrderOfTheRows) {
    make(LabelKind::classes);
    auto model = tiny::must(TableModel::load(folder_));
    EXPECT_TRUE(model.gives_classes());
    const auto encoded =
        tiny::must(model.encode(rows_of({{"1", "red"}, {std::nullopt, "green"}, {"8", "blue"}}, {"size", "colour"})));
    const auto scores = tiny::must(model.score(encoded));
    ASSERT_EQ(scores.probabilities.size(), 15u);
    EXPECT_TRUE(scores.numbers.empty());
    for (std::size_t row = 0; row < 3; ++row) {
        double sum = 0;
        for (std::size_t c = 0; c < 5; ++c) sum += scores.probabilities[row * 5 + c];
        EXPECT_NEAR(sum, 1, 1e-6);
    }
    const std::vector<std::size_t> last{2};
    const auto alone = tiny::must(model.score(pick_rows(encoded, last)));
    for (std::size_t c = 0; c < 5; ++c) EXPECT_NEAR(alone.probabilities[c], scores.probabilities[10 + c], 1e-6);
}

TEST_F(TableModels, NumbersComeInTheLabelsUnit) {
    make(LabelKind::number);
    auto model = tiny::must(TableModel::load(folder_));
    const auto scores = tiny::must(model.score(tiny::must(model.encode(training_rows()))));
    ASSERT_EQ(scores.numbers.size(), 5u);
    const auto& scaling = model.schema().label.scaling;
    EXPECT_NEAR(scaling.mean, 6.9, 1e-9);
    for (const double number : scores.numbers) EXPECT_LT(std::abs(scaling.apply(number)), 3);
}

TEST_F(TableModels, ManyRowsAreScoredInPieces) {
    make(LabelKind::number);
    auto model = tiny::must(TableModel::load(folder_));
    std::vector<std::vector<std::optional<std::string>>> cells;
    for (int i = 0; i < 700; ++i) cells.push_back({std::to_string(i % 9), i % 2 ? "red" : "blue"});
    const auto encoded = tiny::must(model.encode(rows_of(std::move(cells), {"size", "colour"})));
    const auto scores = tiny::must(model.score(encoded));
    ASSERT_EQ(scores.numbers.size(), 700u);
    EXPECT_NEAR(scores.numbers[0], scores.numbers[18], 1e-5);
    EXPECT_NEAR(scores.numbers[1], scores.numbers[685], 1e-5);
}

TEST_F(TableModels, FoldersThatDoNotFitTogetherAreRefused) {
    make(LabelKind::classes, json::object{{"cat_cardinalities", json::array{5}}});
    const auto columns = TableModel::load(folder_);
    ASSERT_FALSE(columns);
    EXPECT_THAT(columns.error().message, HasSubstr("do not name the same columns and classes"));
    fs::remove(folder_ / table_schema_file);
    EXPECT_EQ(TableModel::load(folder_).error().code, ErrorCode::not_found);
    EXPECT_EQ(TableModel::load(tiny::folder()).error().code, ErrorCode::unsupported);
}

TEST_F(TableModels, SelfTestsMustAgree) {
    make(LabelKind::number);
    auto model = tiny::must(TableModel::load(folder_));
    EXPECT_EQ(model.check().error().code, ErrorCode::corrupt);
    write_self_tests(self_test_of(folder_));
    EXPECT_THAT(tiny::must(model.check()), HasSubstr("1 self-tests agree"));
    write_self_tests(self_test_of(folder_, 0.1));
    EXPECT_EQ(model.check().error().code, ErrorCode::conflict);
    for (const char* damaged :
         {R"({"format":1,"rows":[]})", R"({"format":1,"rows":[{"numbers":[1]}]})",
          R"({"format":1,"rows":[{"numbers":[],"missing":[0],"categories":[2],"logits":[1]}]})"}) {
        write_self_tests(damaged);
        EXPECT_EQ(model.check().error().code, ErrorCode::corrupt) << damaged;
    }
}

}  // namespace
}  // namespace rootstock
