#include "model/adapter/merge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "model/adapter/adapter.h"
#include "model/files/model_folder.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden";

struct Case {
    const char *adapter, *base, *head;
};

class MergeGolden : public ::testing::TestWithParam<Case> {};

// |ours - theirs| / |theirs|, over the whole tensor.
double relative_difference(const HostTensor& ours, const HostTensor& theirs) {
    const auto a = to_floats(ours), b = to_floats(theirs);
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference += std::pow(static_cast<double>(a[i]) - b[i], 2);
        size += std::pow(static_cast<double>(b[i]), 2);
    }
    return std::sqrt(difference / size);
}

TEST_P(MergeGolden, IsWhatMergeAndUnloadMakes) {
    const auto folder = kGolden / GetParam().adapter;
    const auto adapter = read_peft_adapter(folder);
    ASSERT_TRUE(adapter) << adapter.error().message;
    const auto base = read_stored_model(kGolden / GetParam().base);
    ASSERT_TRUE(base) << base.error().message;
    const auto merged = merged_model(*base, *adapter);
    ASSERT_TRUE(merged) << merged.error().message;
    const auto golden = read_safetensors(folder / "merged.safetensors");
    ASSERT_TRUE(golden) << golden.error().message;
    for (const auto& [name, theirs] : golden->tensors) {
        ASSERT_TRUE(merged->tensors.contains(name)) << name;
        const auto& ours = merged->tensors.at(name);
        ASSERT_EQ(ours.shape, theirs.shape) << name;
        EXPECT_LE(relative_difference(ours, theirs), 1e-6) << name;
    }
    for (const auto& [name, tensor] : base->tensors)  // nothing else has changed
        if (!golden->tensors.contains(name)) {
            EXPECT_EQ(to_floats(merged->tensors.at(name)), to_floats(tensor)) << name;
        }
    EXPECT_EQ(merged->config.at("architectures"), (json::array{GetParam().head}));
}

INSTANTIATE_TEST_SUITE_P(Cases, MergeGolden,
                         ::testing::Values(Case{"merge_lora_layers", "tiny_bert", "BertForSequenceClassification"},
                                           Case{"merge_lora_saved", "tiny_bert", "BertForSequenceClassification"},
                                           Case{"merge_dora_patterns", "tiny_bert", "BertForSequenceClassification"},
                                           Case{"merge_gpt2_lora", "tiny_gpt2", "GPT2LMHeadModel"},
                                           Case{"merge_gpt2_dora", "tiny_gpt2", "GPT2LMHeadModel"}));

class MergeTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("merge-" + secret_base62(8));
        fs::copy(kGolden / "merge_dora_patterns", folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    void set(const char* field, json::value value) {
        auto config = parse_json(read_file(folder_ / "adapter_config.json").value(), "config").value();
        config.as_object()[field] = std::move(value);
        ASSERT_TRUE(write_file_atomically(folder_ / "adapter_config.json", json::serialize(config)));
    }
    void without(const std::string& word) {
        auto file = read_safetensors(folder_ / "adapter_model.safetensors").value();
        std::erase_if(file.tensors, [&](const auto& item) { return item.first.find(word) != std::string::npos; });
        ASSERT_TRUE(write_safetensors(folder_ / "adapter_model.safetensors", file.tensors));
    }
    void expect_error(ErrorCode code, const std::string& word) {
        const auto adapter = read_peft_adapter(folder_);
        ASSERT_FALSE(adapter) << word;
        EXPECT_EQ(adapter.error().code, code) << adapter.error().message;
        EXPECT_NE(adapter.error().message.find(word), std::string::npos) << adapter.error().message;
    }
    fs::path folder_;
};

TEST_F(MergeTest, ADoraIsGraftedOnlyWhereItIsAskedFor) {
    const auto spec = load_spec(kGolden / "tiny_bert").value();
    const auto refused = load_adapter(folder_, spec);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
    EXPECT_NE(refused.error().message.find("rootstock merge"), std::string::npos) << refused.error().message;
    const auto adapter = load_adapter(folder_, spec, {}, true);
    ASSERT_TRUE(adapter) << adapter.error().message;
    const auto& pair = adapter->pairs.at("layers.0.inner");
    EXPECT_EQ(pair.rank, 6);
    EXPECT_FLOAT_EQ(pair.scale, 5 / std::sqrt(6.0f));
    ASSERT_EQ(pair.magnitude.size(), 64u);
    ASSERT_TRUE(save_adapter(folder_ / "again", *adapter, spec));
    const auto ours = read_peft_adapter(folder_ / "again"), theirs = read_peft_adapter(folder_);
    ASSERT_TRUE(ours) << ours.error().message;
    for (const auto& [path, update] : theirs->updates) {
        EXPECT_EQ(ours->updates.at(path).magnitude, update.magnitude) << path;
        EXPECT_EQ(delta_of(ours->updates.at(path)), delta_of(update)) << path;
    }
}

TEST_F(MergeTest, WhatDoesNotBelongTogetherIsRefused) {
    without("layer.1.attention.self.query.lora_B");
    expect_error(ErrorCode::corrupt, "halves");
    without("layer.1.attention.self.query");
    without("layer.1.intermediate.dense.lora_magnitude_vector");
    expect_error(ErrorCode::corrupt, "lengths of rows");
    without("layer.1.intermediate.dense");
    ASSERT_TRUE(read_peft_adapter(folder_));
    set("rank_pattern", json::object{});
    expect_error(ErrorCode::corrupt, "adapter_config.json says 4");
    set("peft_type", "LOHA");
    expect_error(ErrorCode::unsupported, "LOHA");
}

TEST_F(MergeTest, AnotherBaseIsRefusedByName) {
    const auto adapter = read_peft_adapter(folder_).value();
    const auto gpt2 = merged_model(read_stored_model(kGolden / "tiny_gpt2").value(), adapter);
    ASSERT_FALSE(gpt2);
    EXPECT_EQ(gpt2.error().reason, "adapter_misfit");
    auto base = read_stored_model(kGolden / "tiny_bert").value();
    base.tensors.at("bert.encoder.layer.0.intermediate.dense.weight").shape = {32, 64};
    const auto other = merged_model(base, adapter);
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().message.find("[32, 64]"), std::string::npos) << other.error().message;
}

TEST_F(MergeTest, ABareBaseTakesOnThePrefixAndLabels) {
    auto base = read_stored_model(kGolden / "tiny_bert").value();
    const auto whole = merged_model(base, read_peft_adapter(folder_).value()).value();
    std::map<std::string, HostTensor> bare;
    for (const auto& [name, tensor] : base.tensors)
        if (name.starts_with("bert.")) bare.emplace(name.substr(5), tensor);
    base.tensors = bare;
    base.config.erase("id2label");
    auto adapter = read_peft_adapter(folder_).value();
    adapter.labels = {"a", "b", "c", "d", "e"};
    const auto merged = merged_model(base, adapter);
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ(merged->tensors.size(), whole.tensors.size());
    EXPECT_EQ(merged->config.at("id2label").at("4"), "e");
    const auto name = "bert.encoder.layer.1.attention.self.query.weight";
    EXPECT_EQ(to_floats(merged->tensors.at(name)), to_floats(whole.tensors.at(name)));
}

TEST_F(MergeTest, ABaseInHalvesStaysInHalves) {
    auto base = read_stored_model(kGolden / "tiny_bert").value();
    for (auto& [name, tensor] : base.tensors)
        if (tensor.dtype == Dtype::f32) tensor = converted(tensor, Dtype::bf16);
    const auto merged = merged_model(base, read_peft_adapter(folder_).value()).value();
    EXPECT_EQ(merged.tensors.at("bert.encoder.layer.0.attention.self.query.weight").dtype, Dtype::bf16);
}

// `rootstock merge --dtype f32` of a base in bf16 once gave bf16's numbers in f32.
TEST_F(MergeTest, AskedForF32NothingIsRounded) {
    auto base = read_stored_model(kGolden / "tiny_bert").value();
    const auto name = "bert.encoder.layer.0.attention.self.query.weight";
    base.tensors.at(name) = converted(base.tensors.at(name), Dtype::bf16);
    auto widened = base;
    widened.tensors.at(name) = converted(base.tensors.at(name), Dtype::f32);
    const auto adapter = read_peft_adapter(folder_).value();
    const auto merged = merged_model(base, adapter, MergedType::f32).value();
    EXPECT_EQ(merged.tensors.at(name).dtype, Dtype::f32);
    EXPECT_EQ(to_floats(merged.tensors.at(name)), to_floats(merged_model(widened, adapter).value().tensors.at(name)));
    EXPECT_NE(to_floats(merged.tensors.at(name)), to_floats(converted(merged.tensors.at(name), Dtype::bf16)));
}

// For tests/interop: an adapter of peft, read and written again where peft reads it.
TEST(AdapterFolders, AreWrittenForTheReferenceLibrary) {
    const char* from = std::getenv("ROOTSTOCK_ADAPTER_FROM");
    const char* to = std::getenv("ROOTSTOCK_ADAPTER_TO");
    if (!from || !to) GTEST_SKIP() << "ROOTSTOCK_ADAPTER_FROM and ROOTSTOCK_ADAPTER_TO name no folders";
    const auto spec = load_spec(kGolden / "tiny_bert").value();
    const auto adapter = load_adapter(from, spec, {}, true);
    ASSERT_TRUE(adapter) << adapter.error().message;
    ASSERT_TRUE(save_adapter(to, *adapter, spec));
}

}  // namespace
}  // namespace rootstock
