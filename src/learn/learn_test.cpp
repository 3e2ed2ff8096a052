// The program itself on small jobs: learning, resuming after real kills, repeating, refusing.

#include "learn/learn.h"

#include <sys/file.h>

#include <fstream>

#include "autograd/autograd.h"
#include "data/data.h"
#include "learn/run_program.h"
#include "model/model.h"

namespace rootstock {
namespace {

class Program : public testing::Test {
protected:
    fs::path root_ = fs::path(testing::TempDir()) / "rootstock_learn_test";
    JobSpec spec_;

    void SetUp() override {
        fs::remove_all(root_);
        spec_.base_folder = (fs::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden" / "tiny_bert").string();
        spec_.labels = {"card", "refund", "exchange"};
        spec_.lora.rank = 4;
        spec_.lora.alpha = 8;
        spec_.lora.dropout = 0.1;
        spec_.train.epochs = 6;
        spec_.train.batch_examples = 8;
        spec_.train.learning_rate = 1e-2;
        spec_.train.validation = 0.2;
        spec_.train.patience = 100;
        spec_.train.checkpoint_seconds = 1;
    }

    // A new job folder: texts of filler words around one word that decides the label.
    fs::path make_job(const std::string& name) {
        static const std::vector<std::string> filler{"the", "my",     "is",    "it",   "to",
                                                     "not", "please", "where", "when", "have"};
        SeededRandom random(5);
        std::vector<TextExample> rows;
        for (std::int64_t row = 1; row <= 240; ++row) {
            auto label = static_cast<std::int32_t>(random.below(3));
            std::vector<std::string> words{spec_.labels[static_cast<std::size_t>(label)] == "exchange"
                                               ? "rate"
                                               : spec_.labels[static_cast<std::size_t>(label)]};
            for (auto n = 2 + random.below(6); n > 0; --n) words.push_back(filler[random.below(filler.size())]);
            random.shuffle(words);
            std::string text;
            for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
            rows.push_back({text, label, row});
        }
        auto folder = root_ / name;
        fs::create_directories(folder);
        EXPECT_TRUE(write_job_spec(folder, spec_));
        EXPECT_TRUE(write_training_rows(folder / "train.jsonl", rows));
        return folder;
    }
};

TEST_F(Program, LearnsTheTaskAndWritesAnAdapterThatAnswersItsSelfTests) {
    auto folder = make_job("learns");
    auto ended = run_program(folder);
    ASSERT_EQ(ended.exit_code, 0);
    ASSERT_TRUE(ended.last("done"));
    EXPECT_GE(ended.last("done")->at("best_accuracy").to_number<double>(), 0.95);
    EXPECT_GT(ended.last("done")->at("peak_rss_bytes").to_number<std::int64_t>(), 10'000'000);
    auto tokens_an_epoch = ended.last("started")->at("tokens").to_number<std::int64_t>();
    EXPECT_EQ(ended.last("done")->at("trained_tokens").to_number<std::int64_t>(), 6 * tokens_an_epoch);
    ASSERT_TRUE(ended.last("epoch"));
    EXPECT_GE(ended.last("epoch")->at("train_accuracy").to_number<double>(), 0.9);
    EXPECT_EQ(ended.last("epoch")->at("valid_accuracy"), ended.last("evaluation")->at("accuracy"));
    auto model = *load_model(spec_.base_folder);
    auto adapter = load_adapter(folder / "adapter", model.spec);
    ASSERT_TRUE(adapter) << adapter.error().message;
    EXPECT_EQ(adapter->labels, spec_.labels);
    ASSERT_EQ(adapter->self_tests.size(), 8u);
    auto classifier = *SequenceClassifier::restore(model, *adapter, reference_placement());
    auto tokenizer = *Tokenizer::load(spec_.base_folder);
    torch::NoGradGuard no_gradient;
    for (const auto& test : adapter->self_tests) {
        PackedBatch batch;
        batch.add_row(tokenizer.encode(test.text)->ids);
        auto logits = classifier->logits(*classifier->stage(batch));
        EXPECT_TRUE(torch::allclose(logits[0], torch::tensor(test.logits), 1e-5, 1e-5));
    }
    auto kept = *read_file(folder / "events.jsonl");
    EXPECT_NE(kept.find("\"done\""), std::string::npos);
    EXPECT_FALSE(fs::is_empty(folder / "tensorboard"));
}

// A tiny golden model with the words of tiny_bert's tokenizer: its token table grows to their number.
fs::path base_with_words(const std::string& family, const std::string& table, const fs::path& folder) {
    auto golden = fs::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden";
    fs::create_directories(folder);
    auto file = *read_safetensors(golden / "families" / family / "model.safetensors");
    auto width = file.tensors.at(table).shape.at(1);
    SeededRandom random(3);
    std::vector<float> values(static_cast<std::size_t>(200 * width));
    for (auto& value : values) value = static_cast<float>(0.2 * random.normal());
    file.tensors[table] = make_tensor({200, width}, values);
    EXPECT_TRUE(write_safetensors(folder / "model.safetensors", file.tensors));
    auto config = json::parse(*read_file(golden / "families" / family / "config.json")).as_object();
    config["vocab_size"] = 200;
    EXPECT_TRUE(write_file_atomically(folder / "config.json", json::serialize(config)));
    fs::copy(golden / "tiny_bert" / "tokenizer.json", folder / "tokenizer.json");
    return folder;
}

TEST_F(Program, TunesDecodersAndTheirAdaptersComeBack) {
    const std::pair<const char*, const char*> bases[] = {{"gpt2_sequence", "transformer.wte.weight"},
                                                         {"llama_sequence", "model.embed_tokens.weight"}};
    for (const auto& [family, table] : bases) {
        spec_.base_folder = base_with_words(family, table, root_ / family).string();
        auto folder = make_job(std::string("tunes_") + family);
        ASSERT_EQ(run_program(folder).exit_code, 0) << family;
        auto model = *load_model(spec_.base_folder);
        auto adapter = load_adapter(folder / "adapter", model.spec);
        ASSERT_TRUE(adapter) << adapter.error().message;
        auto classifier = *SequenceClassifier::restore(model, *adapter, reference_placement());
        torch::NoGradGuard no_gradient;
        ASSERT_EQ(adapter->self_tests.size(), 8u);
        for (const auto& test : adapter->self_tests) {
            PackedBatch batch;
            batch.add_row(test.ids);
            auto logits = classifier->logits(*classifier->stage(batch));
            EXPECT_TRUE(torch::allclose(logits[0], torch::tensor(test.logits), 1e-4, 1e-4)) << family;
        }
    }
}

// Killed at random moments until it outruns the killer: how often depends on the machine, the weights do not.
TEST_F(Program, KilledAgainAndAgainItEndsWithTheSameWeights) {
    spec_.train.epochs = 16;
    auto whole = make_job("whole");
    ASSERT_EQ(run_program(whole).exit_code, 0);

    spec_.train.checkpoint_seconds = 0.05;
    auto broken = make_job("broken");
    auto survived = run_under_kills(broken, 9, 6);
    ASSERT_EQ(survived.ended.exit_code, 0);
    EXPECT_GE(survived.kills, 3);
    EXPECT_GT(survived.furthest, 0) << "no kill came after a checkpoint";
    EXPECT_EQ(adapter_weights(whole), adapter_weights(broken));
}

TEST_F(Program, AskedToStopItSavesAndGoesOnLater) {
    auto whole = make_job("whole");
    ASSERT_EQ(run_program(whole).exit_code, 0);
    auto paused = make_job("paused");
    bool asked = false;
    auto ended = run_program(paused, [&](const json::value& event) {
        if (asked || event.as_object().at("event").as_string() != "step") return 0;
        asked = true;
        return SIGTERM;
    });
    EXPECT_EQ(ended.exit_code, static_cast<int>(LearnExit::interrupted));
    auto saved = ended.last("checkpoint");
    ASSERT_TRUE(saved);
    auto again = run_program(paused);
    ASSERT_EQ(again.exit_code, 0);
    EXPECT_EQ(again.last("started")->at("resumed_from").to_number<std::int64_t>(),
              saved->at("step").to_number<std::int64_t>());
    EXPECT_EQ(adapter_weights(whole), adapter_weights(paused));
}

TEST_F(Program, TheSeedDecides) {
    spec_.train.epochs = 1;
    auto first = make_job("first"), second = make_job("second");
    spec_.train.seed = 43;
    auto other = make_job("other");
    for (const auto& folder : {first, second, other}) ASSERT_EQ(run_program(folder).exit_code, 0);
    EXPECT_EQ(adapter_weights(first), adapter_weights(second));
    EXPECT_NE(adapter_weights(first), adapter_weights(other));
}

TEST_F(Program, AFinishedJobSaysDoneAgain) {
    spec_.train.epochs = 1;
    auto folder = make_job("finished");
    ASSERT_EQ(run_program(folder).exit_code, 0);
    auto before = adapter_weights(folder);
    auto again = run_program(folder);
    EXPECT_EQ(again.exit_code, 0);
    EXPECT_TRUE(again.last("done"));
    EXPECT_FALSE(again.last("step"));
    EXPECT_EQ(adapter_weights(folder), before);
}

TEST_F(Program, StopsEarlyAndKeepsTheBestWeights) {
    spec_.train.epochs = 30;
    spec_.train.patience = 2;
    auto ended = run_program(make_job("early"));
    ASSERT_EQ(ended.exit_code, 0);
    EXPECT_TRUE(ended.last("done")->at("stopped_early").as_bool());
    EXPECT_LT(ended.last("done")->at("epoch").to_number<int>(), 30);
}

TEST_F(Program, BadInputGetsASentence) {
    auto expect_refused = [](const fs::path& folder, const std::string& word) {
        auto ended = run_program(folder);
        EXPECT_EQ(ended.exit_code, static_cast<int>(LearnExit::callers_fault));
        ASSERT_TRUE(ended.last("error")) << word;
        auto message = std::string(ended.last("error")->at("message").as_string());
        EXPECT_NE(message.find(word), std::string::npos) << message;
        EXPECT_FALSE(fs::exists(folder / "adapter"));
    };
    expect_refused(root_ / "missing", "job.json");

    auto rows = make_job("rows");
    std::ofstream(rows / "train.jsonl", std::ios::app) << R"({"text":"a","label":3,"row":241})"
                                                       << "\n";
    expect_refused(rows, "241");

    auto empty = make_job("empty");
    std::ofstream(empty / "train.jsonl", std::ios::trunc);
    expect_refused(empty, "train.jsonl");

    auto job = make_job("job");
    std::ofstream(job / "job.json", std::ios::trunc) << R"({"format":1,"surprise":true})";
    expect_refused(job, "job.json");

    spec_.lora.targets = {"querry"};
    expect_refused(make_job("target"), "querry");
    spec_.lora.targets = {};
    spec_.base_folder += "-gone";
    expect_refused(make_job("base"), "tiny_bert-gone");
    spec_.base_folder.resize(spec_.base_folder.size() - 5);
    spec_.base_digest = std::string(64, '0');
    expect_refused(make_job("digest"), "digest");
}

TEST_F(Program, AFolderThatAnotherProcessWorksOnIsRefused) {
    auto folder = make_job("shared");
    int lock = ::open((folder / "job.json").c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
    auto ended = run_program(folder);
    ::close(lock);
    EXPECT_EQ(ended.exit_code, static_cast<int>(LearnExit::callers_fault));
    ASSERT_TRUE(ended.last("error"));
    EXPECT_EQ(ended.last("error")->at("code").as_string(), "conflict");
    EXPECT_EQ(run_program(folder).exit_code, 0);
}

}  // namespace
}  // namespace rootstock
