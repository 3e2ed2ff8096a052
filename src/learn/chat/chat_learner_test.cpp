// Task "chat" of the program itself: learning, resuming after real kills, stopping early, refusing.

#include <fstream>

#include "autograd/autograd.h"
#include "data/data.h"
#include "learn/learn.h"
#include "learn/run_program.h"
#include "model/model.h"

namespace rootstock {
namespace {

class ChatProgram : public testing::Test {
protected:
    fs::path root_ = fs::path(testing::TempDir()) / "rootstock_chat_learner_test";
    JobSpec spec_;

    void SetUp() override {
        fs::remove_all(root_);
        use_base("llama");
        spec_.task = "chat";
        spec_.lora.rank = 8;
        spec_.lora.alpha = 16;
        spec_.train.epochs = 4;
        spec_.train.batch_examples = 8;
        spec_.train.learning_rate = 2e-2;
        spec_.train.validation = 0.2;
        spec_.train.patience = 100;
        spec_.train.label_smoothing = 0;
        spec_.train.checkpoint_seconds = 1;
    }

    void use_base(const std::string& family) {
        spec_.base_folder = (fs::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden" / "families" / family).string();
    }

    // A new job folder: behind a question of random words the answer is one of four, which the second word decides. The
    // words of the question carry no weight and cannot be guessed.
    fs::path make_job(const std::string& name, std::size_t rows = 160) {
        SeededRandom random(5);
        std::vector<TokenRow> all;
        for (std::size_t row = 1; row <= rows; ++row) {
            std::vector<std::int32_t> ids{1, static_cast<std::int32_t>(10 + random.below(4))};
            for (auto n = random.below(9); n > 0; --n) ids.push_back(static_cast<std::int32_t>(20 + random.below(50)));
            const auto answer = static_cast<std::int32_t>(3 + ids[1] - 10);
            ids.insert(ids.end(), {8, answer, answer, 2});
            std::vector<float> weights(ids.size(), 0.0f);
            std::fill(weights.end() - 3, weights.end(), row % 5 == 0 ? 0.5f : 1.0f);
            all.push_back({static_cast<std::int64_t>(row), "", std::move(ids), std::move(weights)});
        }
        auto folder = root_ / name;
        fs::create_directories(folder);
        EXPECT_TRUE(write_job_spec(folder, spec_));
        EXPECT_TRUE(write_token_rows(folder / "train.jsonl", all));
        return folder;
    }
};

double at(const json::object* event, const char* key) { return event->at(key).to_number<double>(); }

TEST_F(ChatProgram, LearnsTheAnswersAndWritesAnAdapterThatAnswersItsSelfTests) {
    for (const char* family : {"llama", "gpt2"}) {
        SCOPED_TRACE(family);
        use_base(family);
        spec_.train.epochs =
            16;  // with fewer the bounds below are met on one kind of processor and just missed on another
        auto folder = make_job(std::string("learns_") + family);
        auto ended = run_program(folder);
        ASSERT_EQ(ended.exit_code, 0);
        const auto *started = ended.last("started"), *done = ended.last("done"), *epoch = ended.last("epoch");
        ASSERT_TRUE(started && done && epoch);
        EXPECT_EQ(started->at("measure").as_string(), "mean_token_accuracy");
        EXPECT_GE(at(done, "best_mean_token_accuracy"), 0.9);
        EXPECT_LT(at(done, "best_loss"), 1.0);  // before it is about 5
        EXPECT_LT(at(epoch, "train_loss"), 1.0);
        EXPECT_GE(at(epoch, "train_mean_token_accuracy"), 0.85);
        EXPECT_EQ(epoch->at("valid_loss"), ended.last("evaluation")->at("loss"));
        EXPECT_EQ(at(done, "trained_tokens"), 16 * at(started, "tokens"));

        auto model = *load_model(spec_.base_folder);
        auto adapter = load_adapter(folder / "adapter", model.spec);
        ASSERT_TRUE(adapter) << adapter.error().message;
        EXPECT_EQ(adapter->task, "chat");
        EXPECT_EQ(adapter->head.classes, 0);
        ASSERT_EQ(adapter->self_tests.size(), 8u);
        auto language = *LanguageModel::restore(model, *adapter, reference_placement());
        torch::NoGradGuard no_gradient;
        int right = 0;
        for (const auto& test : adapter->self_tests) {
            ASSERT_EQ(test.words.size(), 16u);
            PackedBatch batch;
            batch.add_row(std::span(test.ids).first(static_cast<std::size_t>(test.place)));
            auto logits = language->logits(*language->stage(batch), torch::tensor({std::int64_t{test.place} - 1}))[0];
            right += logits.argmax().item<std::int64_t>() == 3 + test.ids[1] - 10;
            for (std::size_t i = 0; i < test.words.size(); ++i)
                EXPECT_NEAR(logits[test.words[i]].item<float>(), test.logits[i], 1e-4);
        }
        EXPECT_GE(right, 6);
        auto config = json::parse(*read_file(folder / "adapter" / "adapter_config.json"));
        EXPECT_EQ(config.at("task_type").as_string(), "CAUSAL_LM");
    }
}

TEST_F(ChatProgram, KilledAgainAndAgainItEndsWithTheSameWeights) {
    spec_.train.epochs = 30;
    spec_.lora.dropout = 0.1;
    for (bool bf16 : {false, true}) {
        SCOPED_TRACE(bf16 ? "bf16" : "fp32");
        spec_.train.bf16 = bf16;
        spec_.train.checkpoint_seconds = 1;
        auto whole = make_job(bf16 ? "whole_bf16" : "whole");
        ASSERT_EQ(run_program(whole).exit_code, 0);
        spec_.train.checkpoint_seconds = 0.05;
        auto broken = make_job(bf16 ? "broken_bf16" : "broken");
        auto survived = run_under_kills(broken, 9, 5);
        ASSERT_EQ(survived.ended.exit_code, 0);
        EXPECT_GE(survived.kills, 2);
        EXPECT_GT(survived.furthest, 0) << "no kill came after a checkpoint";
        EXPECT_EQ(adapter_weights(whole), adapter_weights(broken));
    }
}

TEST_F(ChatProgram, StopsEarlyByTheLossAndKeepsTheBestWeights) {
    spec_.train.epochs = 60;
    spec_.train.patience = 2;
    spec_.train.learning_rate = 0.1;  // too much: it overshoots soon
    auto ended = run_program(make_job("early", 40));
    ASSERT_EQ(ended.exit_code, 0);
    const auto* done = ended.last("done");
    EXPECT_TRUE(done->at("stopped_early").as_bool());
    double best = 1e9;
    for (const auto& event : ended.events)
        if (event.as_object().at("event").as_string() == "evaluation")
            best = std::min(best, at(&event.as_object(), "loss"));
    EXPECT_EQ(at(done, "best_loss"), best);
}

TEST_F(ChatProgram, BadInputGetsASentence) {
    auto expect_refused = [](const fs::path& folder, const std::string& word) {
        auto ended = run_program(folder);
        EXPECT_EQ(ended.exit_code, static_cast<int>(LearnExit::callers_fault)) << word;
        ASSERT_TRUE(ended.last("error")) << word;
        auto message = std::string(ended.last("error")->at("message").as_string());
        EXPECT_NE(message.find(word), std::string::npos) << message;
        EXPECT_FALSE(fs::exists(folder / "adapter"));
    };
    auto rows = make_job("rows");
    std::ofstream(rows / "train.jsonl", std::ios::app) << R"({"row":161,"ids":[1,80],"learn":[[1,2,1]]})"
                                                       << "\n";
    expect_refused(rows, "line 161");
    auto longest = make_job("long");
    std::string ids = "1";
    for (int i = 0; i < 96; ++i) ids += ",2";
    std::ofstream(longest / "train.jsonl", std::ios::app) << R"({"row":161,"ids":[)" << ids << R"(],"learn":[[1,2,1]]})"
                                                          << "\n";
    expect_refused(longest, "97 tokens");
    spec_.train.label_smoothing = 0.1;
    expect_refused(make_job("smooth"), "label_smoothing");
    spec_.train.label_smoothing = 0;
    spec_.base_folder = (fs::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden" / "tiny_bert").string();
    expect_refused(make_job("encoder"), "does not write");
    spec_.task = "talk";
    expect_refused(make_job("task"), "talk");
}

}  // namespace
}  // namespace rootstock
