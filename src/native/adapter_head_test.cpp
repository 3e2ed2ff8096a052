// Classifiers that peft wrote on bases without one (tests/golden/make_peft_golden.py): the whole head is the adapter's,
// in each family's own shape.

#include <gtest/gtest.h>

#include <cmath>

#include "native/native.h"
#include "native/test_places.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

class AdapterHeads : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        folder_ = golden_folder() / GetParam();
        if (!fs::exists(folder_ / "logits.json")) GTEST_SKIP() << folder_ << " is missing; run its script";
        golden_ = parse_json(read_file(folder_ / "logits.json").value(), "golden").value();
        model_ = load_model(golden_folder() / golden_.at("base").as_string().c_str()).value();
        for (const auto& ids : golden_.at("sequences").as_array())
            batch_.add_row(json::value_to<std::vector<std::int32_t>>(ids));
    }
    Adapter adapter() const {
        auto loaded = load_adapter(folder_, model_.spec);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
        return std::move(*loaded);
    }
    double worst(const Adapter& adapter, Precision precision) const {
        const auto native = NativeModel::load(model_, {precision, 2}).value();
        const auto loaded = NativeAdapter::load(*native, adapter);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
        Executor executor(native);
        const std::vector<const NativeAdapter*> adapters(batch_.rows(), loaded->get());
        const auto logits = executor.classify(batch_, adapters);
        EXPECT_TRUE(logits) << (logits ? "" : logits.error().message);
        double worst = 0;
        for (std::size_t n = 0; n < batch_.rows(); ++n) {
            const auto wanted = json::value_to<std::vector<float>>(golden_.at("logits").at(n));
            EXPECT_EQ(logits->row(n).size(), wanted.size());
            for (std::size_t i = 0; i < wanted.size(); ++i)
                worst = std::max(worst, std::abs(static_cast<double>(logits->row(n)[i]) - wanted[i]));
        }
        return worst;
    }

    fs::path folder_;
    json::value golden_;
    Model model_;
    PackedBatch batch_;
};

TEST_P(AdapterHeads, GiveTheLogitsOfPeft) {
    const auto theirs = adapter();
    EXPECT_LT(worst(theirs, Precision::fp32), 1e-4);
    RecordProperty("bf16", std::to_string(worst(theirs, Precision::bf16)));
}

TEST_P(AdapterHeads, ComeBackAsTheyWereSaved) {
    const auto again = fs::temp_directory_path() / ("heads-" + secret_base62(8));
    auto theirs = adapter();
    ASSERT_TRUE(save_adapter(again, theirs, model_.spec));
    const auto ours = read_safetensors(again / "adapter_model.safetensors").value();
    const auto files = read_safetensors(folder_ / "adapter_model.safetensors").value();
    EXPECT_EQ(ours.tensors.size(), files.tensors.size());
    for (const auto& [name, tensor] : files.tensors) {
        ASSERT_TRUE(ours.tensors.contains(name)) << name;
        EXPECT_EQ(to_floats(ours.tensors.at(name)), to_floats(tensor)) << name;
    }
    const auto saved = [](const fs::path& folder) {
        const auto config = parse_json(read_file(folder / "adapter_config.json").value(), "config").value();
        auto words = json::value_to<std::vector<std::string>>(config.at("modules_to_save"));
        std::erase_if(words,
                      [](const auto& word) { return word == "classifier" || word == "score"; });  // peft adds both
        return words;
    };
    EXPECT_EQ(saved(again), saved(folder_));
    fs::remove_all(again);
}

TEST_P(AdapterHeads, MissTheirDenseMapWithASentence) {
    if (!model_.spec.classifier_dense) GTEST_SKIP() << "this family's classifiers have none";
    auto theirs = adapter();
    theirs.head.dense_weight.clear();
    theirs.head.dense_bias.clear();
    const auto native = NativeModel::load(model_, {Precision::fp32, 1}).value();
    const auto loaded = NativeAdapter::load(*native, theirs);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().reason, "adapter_misfit");
}

INSTANTIATE_TEST_SUITE_P(OfPeft, AdapterHeads,
                         ::testing::Values("peft_roberta", "peft_distilbert", "peft_t5", "peft_llama"));

}  // namespace
}  // namespace rootstock
