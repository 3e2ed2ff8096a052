#include "model/files/model_folder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rootstock {
namespace {

namespace fs = std::filesystem;

const fs::path kTiny = fs::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden/tiny_bert";

class ModelFolderTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (!fs::exists(kTiny / "config.json")) GTEST_SKIP() << "tests/golden/tiny_bert is missing; run its script";
        folder_ = fs::temp_directory_path() / ("model-" + secret_base62(8));
        fs::copy(kTiny, folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    void set_config(const char* field, json::value value) {
        auto config = parse_json(read_file(folder_ / "config.json").value(), "config").value();
        config.as_object()[field] = std::move(value);
        ASSERT_TRUE(write_file_atomically(folder_ / "config.json", json::serialize(config)));
    }

    // Rewrites the weights under other names, or without some (an empty name).
    void rename_tensors(const std::function<std::string(std::string)>& rename) {
        const auto read = read_safetensors(folder_ / "model.safetensors").value();
        std::map<std::string, HostTensor> renamed;
        for (const auto& [name, tensor] : read.tensors)
            if (const auto other = rename(name); !other.empty()) renamed.emplace(other, tensor);
        ASSERT_TRUE(write_safetensors(folder_ / "model.safetensors", renamed));
    }

    void expect_error(ErrorCode code, const std::string& word) {
        const auto model = load_model(folder_);
        ASSERT_FALSE(model);
        EXPECT_EQ(model.error().code, code) << model.error().message;
        EXPECT_NE(model.error().message.find(word), std::string::npos) << model.error().message;
        EXPECT_NE(model.error().message.find(folder_.string()), std::string::npos) << model.error().message;
    }

    fs::path folder_;
};

TEST_F(ModelFolderTest, ReadsSpecAndEveryTensor) {
    const auto model = load_model(folder_);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->spec.family, "bert");
    EXPECT_EQ(model->spec.width, 32);
    EXPECT_EQ(model->spec.heads, 4);
    EXPECT_EQ(model->spec.head_width, 8);
    EXPECT_EQ(model->spec.positions_max, 64);
    EXPECT_TRUE(model->spec.pooler);
    EXPECT_EQ(model->spec.head.kind, HeadKind::sequence);
    EXPECT_EQ(model->spec.head.classes, 5);
    EXPECT_EQ(model->weights.tensors().size(), tensors_of(model->spec).size() + head_tensors_of(model->spec).size());
    EXPECT_EQ(model->weights.at("layers.1.inner.weight").shape, (std::vector<std::int64_t>{64, 32}));
    EXPECT_EQ(model->labels.size(), 5u);
    EXPECT_EQ(model->labels[1], "lost_card");
}

TEST_F(ModelFolderTest, OldAndBareSpellingsGiveTheSameWeights) {
    const auto before = to_floats(load_model(kTiny)->weights.at("layers.0.output_norm.bias"));
    rename_tensors([](std::string name) {
        if (name.starts_with("bert.")) name = name.substr(5);
        if (const auto at = name.find("LayerNorm.bias"); at != name.npos) name.replace(at, 14, "LayerNorm.beta");
        if (const auto at = name.find("LayerNorm.weight"); at != name.npos) name.replace(at, 16, "LayerNorm.gamma");
        return name;
    });
    const auto model = load_model(folder_);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(to_floats(model->weights.at("layers.0.output_norm.bias")), before);
}

TEST_F(ModelFolderTest, AFolderWithoutPoolerSaysSoInItsSpec) {
    rename_tensors([](const std::string& name) { return name.find("pooler") == name.npos ? name : ""; });
    const auto model = load_model(folder_);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_FALSE(model->spec.pooler);
    EXPECT_EQ(std::ranges::count(linear_kinds(model->spec), "pooler"), 0);
}

TEST_F(ModelFolderTest, ShardsAreReadThroughTheirIndex) {
    const auto read = read_safetensors(folder_ / "model.safetensors").value();
    std::map<std::string, HostTensor> shards[2];
    json::object map;
    for (const auto& [name, tensor] : read.tensors) {
        const int shard = name.find("layer.1") != name.npos;
        shards[shard].emplace(name, tensor);
        map[name] = shard ? "model-00002-of-00002.safetensors" : "model-00001-of-00002.safetensors";
    }
    ASSERT_TRUE(write_safetensors(folder_ / "model-00001-of-00002.safetensors", shards[0]));
    ASSERT_TRUE(write_safetensors(folder_ / "model-00002-of-00002.safetensors", shards[1]));
    ASSERT_TRUE(write_file_atomically(folder_ / "model.safetensors.index.json",
                                      json::serialize(json::object{{"weight_map", map}})));
    fs::remove(folder_ / "model.safetensors");
    EXPECT_TRUE(load_model(folder_));
    fs::remove(folder_ / "model-00002-of-00002.safetensors");
    expect_error(ErrorCode::not_found, "model-00002-of-00002");
}

TEST_F(ModelFolderTest, AShardNameCannotLeaveTheFolder) {
    fs::remove(folder_ / "model.safetensors");
    ASSERT_TRUE(write_file_atomically(folder_ / "model.safetensors.index.json",
                                      R"({"weight_map":{"a":"../secret.safetensors"}})"));
    expect_error(ErrorCode::corrupt, "beside it");
}

TEST_F(ModelFolderTest, MissingFilesAreNamed) {
    fs::remove(folder_ / "model.safetensors");
    expect_error(ErrorCode::not_found, "model.safetensors");
    fs::remove(folder_ / "config.json");
    expect_error(ErrorCode::not_found, "config.json");
}

TEST_F(ModelFolderTest, ATruncatedFileSaysWhatToDo) {
    fs::resize_file(folder_ / "model.safetensors", fs::file_size(folder_ / "model.safetensors") - 100);
    expect_error(ErrorCode::corrupt, "fetch it again");
}

TEST_F(ModelFolderTest, AWrongConfigIsNamedByField) {
    set_config("intermediate_size", 63);
    expect_error(ErrorCode::invalid_argument, "config.json asks for");
    set_config("intermediate_size", "many");
    expect_error(ErrorCode::invalid_argument, "intermediate_size");
    set_config("intermediate_size", 64);
    set_config("num_attention_heads", 5);
    expect_error(ErrorCode::invalid_argument, "num_attention_heads");
    set_config("num_attention_heads", 4);
    set_config("num_hidden_layers", 3);
    expect_error(ErrorCode::invalid_argument, "encoder.layer.2");
}

TEST_F(ModelFolderTest, WhatWeDoNotRunIsUnsupportedByName) {
    set_config("hidden_act", "mish");
    expect_error(ErrorCode::unsupported, "mish");
    set_config("hidden_act", "gelu");
    set_config("position_embedding_type", "relative_key");
    expect_error(ErrorCode::unsupported, "relative_key");
    set_config("model_type", "mamba");
    expect_error(ErrorCode::unsupported, "mamba");
}

TEST_F(ModelFolderTest, MalformedConfigIsNamed) {
    ASSERT_TRUE(write_file_atomically(folder_ / "config.json", "{\"model_type\": "));
    expect_error(ErrorCode::invalid_argument, "config.json");
    ASSERT_TRUE(write_file_atomically(folder_ / "config.json", "[]"));
    expect_error(ErrorCode::invalid_argument, "config.json");
}

TEST_F(ModelFolderTest, TheDigestChangesWithTheModelAndNotWithItsPlace) {
    const auto digest = model_digest(folder_);
    ASSERT_TRUE(digest);
    EXPECT_EQ(*digest, model_digest(kTiny).value());
    ASSERT_TRUE(write_file_atomically(folder_ / "README.md", "a card"));
    EXPECT_EQ(*digest, model_digest(folder_).value());
    set_config("hidden_dropout_prob", 0.2);
    EXPECT_NE(*digest, model_digest(folder_).value());
    EXPECT_EQ(model_digest(folder_ / "none").error().code, ErrorCode::not_found);
}

TEST(TransformerSpec, TargetsChooseMapsByKind) {
    TransformerSpec spec;
    spec.layers = 2, spec.width = 4, spec.inner = 8, spec.pooler = spec.classifier_pools = true;
    EXPECT_EQ(select_linear_maps(spec, {})->size(), 13u);
    const auto maps = select_linear_maps(spec, {"query", "pooler"});
    ASSERT_TRUE(maps);
    EXPECT_EQ(maps->size(), 3u);
    EXPECT_EQ(maps->back().module, "pooler");
    const auto unknown = select_linear_maps(spec, {"q_proj"});
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("query, key"), std::string::npos);
}

}  // namespace
}  // namespace rootstock
