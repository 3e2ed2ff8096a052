// Tables learned from rows: what was learned, that any interruption changes nothing, and what is refused.

#include "learn/table/table_learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <sstream>

#include "learn/trainer.h"
#include "native/native.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TableJobs : public testing::Test {
protected:
    fs::path root_ = fs::path(testing::TempDir()) / "table_learner_test";
    JobSpec spec_;
    double hidden_dropout_ = 0;
    bool balanced_ = false;

    void SetUp() override {
        fs::remove_all(root_);
        spec_.task = "table";
        spec_.train.epochs = 20;
        spec_.train.batch_examples = 32;
        spec_.train.learning_rate = 3e-3;
        spec_.train.head_learning_rate = 0;
        spec_.train.label_smoothing = 0;
        spec_.train.weight_decay = 1e-5;
        spec_.train.patience = 100;
    }

    // Rows whose answer follows from a number (sometimes missing) and a colour: a class, or a number.
    static TableRows make_rows(std::int64_t count, bool classes, std::uint64_t seed) {
        SeededRandom random(seed);
        TableRows table;
        table.columns = {"size", "colour", "noise", "answer"};
        for (std::int64_t row = 1; row <= count; ++row) {
            const double size = random.normal(), noise = random.normal();
            const bool red = random.uniform() < 0.5, missing = random.uniform() < 0.1;
            const double sum = (missing ? 0 : size) + (red ? 0.7 : -0.7);
            Record record{row, row + 1, {}};
            record.values = {missing ? std::nullopt : std::optional(fmt::format("{:.5f}", size)), red ? "red" : "blue",
                             fmt::format("{:.5f}", noise),
                             classes ? (sum > 0 ? "yes" : "no") : fmt::format("{:.5f}", 100 + 20 * sum)};
            table.records.push_back(std::move(record));
        }
        return table;
    }

    json::object config_for(const TableSchema& schema) const {
        json::array categories;
        for (const auto count : schema.category_counts()) categories.emplace_back(count);
        return {{"model_type", "ft-transformer"},
                {"n_cont_features", schema.numeric_names().size()},
                {"cat_cardinalities", std::move(categories)},
                {"n_blocks", 2},
                {"d_block", 32},
                {"attention_n_heads", 4},
                {"attention_dropout", 0.15},
                {"ffn_d_hidden", 42},
                {"ffn_dropout", 0.05},
                {"residual_dropout", hidden_dropout_},
                {"missing_embeddings", true},
                {"d_out", std::max<std::size_t>(1, schema.label.classes.size())},
                {"rootstock", json::object{{"task", "table"}, {"balanced_classes", balanced_}}}};
    }

    fs::path make_job(const std::string& name, bool classes = true) {
        const auto folder = root_ / name;
        fs::create_directories(folder);
        const auto train = make_rows(600, classes, 3), valid = make_rows(200, classes, 4);
        TableOptions options;
        options.label = "answer";
        const auto schema = learn_table_schema(train, all_rows(train), options).value();
        spec_.labels = schema.label.classes;
        EXPECT_TRUE(write_job_spec(folder, spec_));
        EXPECT_TRUE(write_file_atomically(folder / table_schema_file, table_schema_json(schema)));
        EXPECT_TRUE(write_file_atomically(folder / "config.json", json::serialize(config_for(schema))));
        EXPECT_TRUE(write_table_rows(folder / "train.jsonl", train, all_rows(train)));
        EXPECT_TRUE(write_table_rows(folder / "valid.jsonl", valid, all_rows(valid)));
        return folder;
    }

    static Result<void> run(const fs::path& folder, bool stop_at_once = false) {
        ROOTSTOCK_TRY(job, open_job(folder));
        ROOTSTOCK_TRY(events, EventLog::open(folder));
        ROOTSTOCK_TRY(learner, make_learner(std::move(job)));
        const std::atomic<bool> stop = stop_at_once;
        ROOTSTOCK_TRY(trainer, Trainer::create(std::move(learner), events, stop));
        return trainer->run();
    }

    static json::object last_event(const fs::path& folder, std::string_view kind) {
        json::object found;
        std::istringstream lines(read_file(folder / "events.jsonl").value());
        for (std::string line; std::getline(lines, line);)
            if (auto event = json::parse(line).as_object(); event.at("event").as_string() == kind) found = event;
        return found;
    }

    static std::string weights(const fs::path& folder) {
        return read_file(folder / "adapter" / "model.safetensors").value_or("");
    }
};

TEST_F(TableJobs, LearnsClassesAndLeavesAModelThatTheNativeExecutorRuns) {
    const auto folder = make_job("classes");
    const auto done = run(folder);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_GE(last_event(folder, "done").at("best_accuracy").to_number<double>(), 0.9);
    const auto model = load_model(folder / "adapter").value();
    EXPECT_TRUE(model.spec.columns.missing) << "the training rows lack numbers";
    const auto schema = read_table_schema(folder / "adapter").value();
    const auto rows = read_table_rows(folder / "valid.jsonl").value();
    const auto encoded = encode_table(schema, rows, all_rows(rows), LabelUse::require).value();
    Executor executor(NativeModel::load(model, {Precision::fp32, 1}).value());
    const auto logits = executor.logits(encoded).value();
    int right = 0;
    for (std::size_t row = 0; row < encoded.classes.size(); ++row)
        right += (logits.row(row)[1] > logits.row(row)[0]) == (encoded.classes[row] == 1);
    EXPECT_NEAR(right / 200.0, last_event(folder, "done").at("best_accuracy").to_number<double>(), 1e-6);
}

TEST_F(TableJobs, LearnsNumbers) {
    const auto folder = make_job("numbers", false);
    const auto done = run(folder);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_GE(last_event(folder, "done").at("best_r2").to_number<double>(), 0.9);
    EXPECT_EQ(load_model(folder / "adapter").value().spec.head.classes, 1);
}

// Stopped after every single step and taken up again, it ends with the weights of a run that was left alone.
TEST_F(TableJobs, InterruptionsChangeNoBit) {
    spec_.train.epochs = 2;
    const auto whole = make_job("whole"), torn = make_job("torn");
    ASSERT_TRUE(run(whole));
    int starts = 0;
    for (;; ++starts) {
        const auto ended = run(torn, true);
        if (ended) break;
        ASSERT_EQ(ended.error().code, ErrorCode::cancelled) << ended.error().message;
        ASSERT_LT(starts, 1000);
    }
    EXPECT_GE(starts, 600 / 32 * 2);
    EXPECT_FALSE(weights(whole).empty());
    EXPECT_EQ(weights(torn), weights(whole));
}

TEST_F(TableJobs, TheSeedDecides) {
    spec_.train.epochs = 1;
    const auto one = make_job("one"), same = make_job("same");
    spec_.train.seed = 7;
    const auto other = make_job("other");
    for (const auto& folder : {one, same, other}) ASSERT_TRUE(run(folder));
    EXPECT_EQ(weights(one), weights(same));
    EXPECT_NE(weights(one), weights(other));
}

TEST_F(TableJobs, BalancedClassesAndDropoutAreLearnedWith) {
    spec_.train.epochs = 1;
    const auto plain = make_job("plain");
    balanced_ = true;
    const auto balanced = make_job("balanced");
    balanced_ = false;
    hidden_dropout_ = 0.2;
    const auto dropped = make_job("dropped");
    for (const auto& folder : {plain, balanced, dropped}) ASSERT_TRUE(run(folder));
    EXPECT_NE(weights(balanced), weights(plain));
    EXPECT_NE(weights(dropped), weights(plain));
}

TEST_F(TableJobs, FilesThatContradictEachOtherAreRefused) {
    const auto refused = [](const fs::path& folder) {
        const auto ended = run(folder);
        return ended ? std::string("accepted") : ended.error().message;
    };
    const auto labels = make_job("labels");
    auto spec = read_job_spec(labels).value();
    spec.labels = {"yes", "perhaps"};
    ASSERT_TRUE(write_job_spec(labels, spec));
    EXPECT_THAT(refused(labels), HasSubstr("labels are not the classes of columns.json"));
    const auto other = make_job("other_model");
    auto config = json::parse(read_file(other / "config.json").value()).as_object();
    config["cat_cardinalities"] = json::array{7};
    ASSERT_TRUE(write_file_atomically(other / "config.json", json::serialize(config)));
    EXPECT_THAT(refused(other), HasSubstr("config.json is not a table model for the columns"));
    const auto lacking = make_job("lacking");
    fs::remove(lacking / "valid.jsonl");
    EXPECT_THAT(refused(lacking), HasSubstr("valid.jsonl"));
    const auto broken = make_job("broken");
    ASSERT_TRUE(write_file_atomically(broken / "train.jsonl", "{\"columns\":[\"size\"]}\n{}\n"));
    EXPECT_THAT(refused(broken), HasSubstr("train.jsonl, line 2"));
    const auto changed = make_job("changed");
    spec_.train.epochs = 1;
    ASSERT_EQ(run(changed, true).error().code, ErrorCode::cancelled);
    const auto rows = make_rows(50, true, 9);
    ASSERT_TRUE(write_table_rows(changed / "valid.jsonl", rows, all_rows(rows)));
    EXPECT_THAT(refused(changed), HasSubstr("belongs to another job"));
}

}  // namespace
}  // namespace rootstock
