#include "infer/table/table_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "infer/tiny_test_model.h"
#include "model/model.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TableRows rows_of(std::vector<std::vector<std::optional<std::string>>> values,
                  std::vector<std::string> columns = {"size", "colour", "answer"}) {
    TableRows table;
    table.columns = std::move(columns);
    for (auto& cells : values) {
        const auto row = static_cast<std::int64_t>(table.records.size()) + 1;
        table.records.push_back({row, row + 1, std::move(cells)});
    }
    return table;
}

TableRows training_rows() {
    return rows_of(
        {{"1", "red", "5"}, {"2", "red", "7"}, {"4", "blue", "9"}, {"3", "blue", "12.5"}, {"8", "red", "1"}});
}

class TableModels : public testing::Test {
protected:
    fs::path folder_ = fs::path(testing::TempDir()) / "table_model_test";

    void SetUp() override { fs::remove_all(folder_); }

    // A folder with seeded random weights, as a job leaves it.
    void make(LabelKind kind, const json::object& changes = {}) {
        TableOptions options;
        options.label = "answer";
        options.label_kind = kind;
        const auto table = training_rows();
        const auto schema = tiny::must(learn_table_schema(table, all_rows(table), options));
        const auto outputs = kind == LabelKind::classes ? schema.label.classes.size() : std::size_t{1};
        json::object config{{"model_type", "ft-transformer"},
                            {"n_cont_features", 1},
                            {"cat_cardinalities", json::array{4}},
                            {"n_blocks", 2},
                            {"d_block", 16},
                            {"attention_n_heads", 2},
                            {"d_out", outputs},
                            {"missing_embeddings", true}};
        for (const auto& change : changes) config[change.key()] = change.value();
        const auto spec = tiny::must(spec_of_config(config, "config.json"));
        SeededRandom random(11);
        std::map<std::string, HostTensor> tensors;
        auto shapes = tensors_of(spec);
        for (const auto& shape : head_tensors_of(spec)) shapes.push_back(shape);
        for (const auto& shape : shapes) {
            std::size_t count = 1;
            for (const auto size : shape.shape) count *= static_cast<std::size_t>(size);
            tensors.emplace(shape.name, make_tensor(shape.shape, tiny::normals(random, count)));
        }
        const Model model{spec, Weights(std::move(tensors), {}), {}, {}};
        tiny::must(write_model_folder(in_files_spelling(model, config),
                                      {{table_schema_file, table_schema_json(schema)}}, folder_, {}));
    }

    void write_self_tests(const std::string& text) { std::ofstream(folder_ / "self-tests.json") << text; }
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
    Executor executor(tiny::must(NativeModel::load(tiny::must(load_model(folder_)), {Precision::fp32, 1})));
    const ColumnBatch row{1, {0.5f}, {0}, {2}};
    const double logit = tiny::must(executor.logits(row)).values.front();
    const auto recorded = [&](double said) {
        return fmt::format(
            R"({{"format":1,"rows":[{{"numbers":[0.5],"missing":[0],"categories":[2],"logits":[{}]}}]}})", said);
    };
    write_self_tests(recorded(logit));
    EXPECT_THAT(tiny::must(model.check()), HasSubstr("1 self-tests agree"));
    write_self_tests(recorded(logit + 0.1));
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
