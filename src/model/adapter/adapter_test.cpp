#include "model/adapter/adapter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/adapter/peft_config.h"
#include "model/files/model_folder.h"
#include "model/files/safetensors.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden";

TransformerSpec tiny_spec() {
    TransformerSpec spec;
    spec.family = "bert";
    spec.vocabulary = 200, spec.positions_max = 64, spec.types = 2, spec.layers = 2;
    spec.width = 32, spec.heads = spec.key_value_heads = 4, spec.head_width = 8, spec.inner = 64;
    spec.pooler = spec.classifier_pools = true;
    return spec;
}

std::vector<float> random_numbers(std::size_t count, SeededRandom& random) {
    std::vector<float> numbers(count);
    for (auto& number : numbers) number = static_cast<float>(random.normal());
    return numbers;
}

Adapter some_adapter(const std::vector<std::string>& targets = {}) {
    SeededRandom random(1);
    Adapter adapter;
    adapter.settings = {.rank = 4, .alpha = 8, .targets = targets};
    const auto maps = select_linear_maps(tiny_spec(), targets).value();
    for (const auto& map : maps)
        adapter.pairs[map.module] = {4,
                                     2.0f,
                                     map.in,
                                     map.out,
                                     random_numbers(4u * static_cast<unsigned>(map.in), random),
                                     random_numbers(4u * static_cast<unsigned>(map.out), random)};
    adapter.head = {2, 32, random_numbers(64, random), random_numbers(2, random)};
    adapter.labels = {"yes", "n\"o"};
    adapter.base_digest = "0123456789abcdef";
    adapter.base_name = "tiny_bert";
    adapter.max_tokens = 48;
    adapter.self_tests = {{"a text", {2, 5, 3}, {0.5f, -1.25f}}};
    adapter.lineage = {{"seed", 7}};
    return adapter;
}

class AdapterTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("adapter-" + secret_base62(8));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path saved(const Adapter& adapter) {
        const auto path = folder_ / ("a" + secret_base62(6));
        const auto done = save_adapter(path, adapter, tiny_spec());
        EXPECT_TRUE(done) << done.error().message;
        return path;
    }

    static json::value config_of(const fs::path& path) {
        return parse_json(read_file(path / "adapter_config.json").value(), "config").value();
    }

    static void set(const fs::path& path, const char* file, const char* field, json::value value) {
        auto config = parse_json(read_file(path / file).value(), "config").value();
        config.as_object()[field] = std::move(value);
        ASSERT_TRUE(write_file_atomically(path / file, json::serialize(config)));
    }

    static void expect_error(const Result<Adapter>& result, ErrorCode code, const std::string& word) {
        ASSERT_FALSE(result) << word;
        EXPECT_EQ(result.error().code, code) << result.error().message;
        EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
    }

    fs::path folder_;
};

TEST_F(AdapterTest, WhatIsSavedIsLoaded) {
    const auto adapter = some_adapter();
    const auto read = load_adapter(saved(adapter), tiny_spec(), adapter.base_digest);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->pairs.size(), 13u);
    for (const auto& [module, pair] : adapter.pairs) {
        EXPECT_EQ(read->pairs.at(module).a, pair.a);
        EXPECT_EQ(read->pairs.at(module).b, pair.b);
        EXPECT_EQ(read->pairs.at(module).scale, pair.scale);
    }
    EXPECT_EQ(read->head.weight, adapter.head.weight);
    EXPECT_EQ(read->labels, adapter.labels);
    EXPECT_EQ(read->max_tokens, 48);
    EXPECT_EQ(read->base_name, "tiny_bert");
    ASSERT_EQ(read->self_tests.size(), 1u);
    EXPECT_EQ(read->self_tests[0].ids, adapter.self_tests[0].ids);
    EXPECT_EQ(read->self_tests[0].logits, adapter.self_tests[0].logits);
    EXPECT_EQ(read->lineage.at("seed"), 7);
    EXPECT_TRUE(read->settings.targets.empty());
}

TEST_F(AdapterTest, TargetsAreWrittenSoThatPeftFindsExactlyThem) {
    // "output.dense" would also mean attention.output.dense, so "output" alone needs whole paths.
    for (const auto& targets :
         std::vector<std::vector<std::string>>{{"output"}, {"query", "value"}, {"attention_output"}, {"pooler"}}) {
        const auto path = saved(some_adapter(targets));
        const auto read = load_adapter(path, tiny_spec());
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->settings.targets, targets);
    }
    EXPECT_EQ(config_of(saved(some_adapter({"query"}))).at("target_modules"), (json::array{"attention.self.query"}));
    EXPECT_EQ(config_of(saved(some_adapter({"output"}))).at("target_modules").as_array().size(), 2u);
}

TEST_F(AdapterTest, RanksAndScalesOfTheirOwnSurvive) {
    auto adapter = some_adapter();
    SeededRandom random(2);
    adapter.pairs["layers.1.inner"] = {
        6, 0.75f, 32, 64, random_numbers(6 * 32, random), random_numbers(64 * 6, random)};
    adapter.pairs["pooler"].scale = 3;
    adapter.settings.rank_stabilised = true;
    const auto read = load_adapter(saved(adapter), tiny_spec());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->pairs.at("layers.1.inner").rank, 6);
    for (const auto& [module, pair] : adapter.pairs)
        EXPECT_FLOAT_EQ(read->pairs.at(module).scale, pair.scale) << module;
}

TEST_F(AdapterTest, TheWeightsFileIsWhatPeftReads) {
    const auto read = read_safetensors(saved(some_adapter()) / "adapter_model.safetensors").value();
    EXPECT_EQ(read.tensors.size(), 28u);
    EXPECT_EQ(read.tensors.at("base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight").shape,
              (std::vector<std::int64_t>{4, 32}));
    EXPECT_EQ(read.tensors.at("base_model.model.bert.pooler.dense.lora_B.weight").shape,
              (std::vector<std::int64_t>{32, 4}));
    EXPECT_EQ(read.tensors.at("base_model.model.classifier.weight").shape, (std::vector<std::int64_t>{2, 32}));
    EXPECT_EQ(read.metadata.at("format"), "pt");
}

TEST_F(AdapterTest, AnAdapterOfAnotherBaseIsRefused) {
    const auto path = saved(some_adapter());
    expect_error(load_adapter(path, tiny_spec(), "fedcba9876543210"), ErrorCode::conflict, "base");
    auto wide = tiny_spec();
    wide.inner = 128;
    expect_error(load_adapter(path, wide), ErrorCode::invalid_argument, "another model");
    auto deep = tiny_spec();
    deep.layers = 3;
    expect_error(load_adapter(path, deep), ErrorCode::invalid_argument, "another model");
    auto shallow = tiny_spec();
    shallow.layers = 1;
    expect_error(load_adapter(path, shallow), ErrorCode::invalid_argument, "another model");
    auto poolerless = tiny_spec();
    poolerless.pooler = false;
    expect_error(load_adapter(saved(some_adapter({"query"})), poolerless), ErrorCode::invalid_argument, "pooler");
}

TEST_F(AdapterTest, UnsupportedFeaturesAreNamed) {
    const auto refuse = [&](const char* field, json::value value, const std::string& word) {
        const auto path = saved(some_adapter());
        set(path, "adapter_config.json", field, std::move(value));
        expect_error(load_adapter(path, tiny_spec()), ErrorCode::unsupported, word);
    };
    refuse("peft_type", "ADALORA", "ADALORA");
    refuse("use_dora", true, "DoRA");
    refuse("bias", "all", "biases");
    refuse("modules_to_save", json::array{"pooler"}, "rootstock merge");
    refuse("init_lora_weights", "pissa_niter_4", "pissa");
    refuse("target_modules", "(unclosed", "regular expression");
}

// Found by peft_config_fuzz in the matcher of before: numbers that overflow, repeats inside repeats written out
// thousands of times; and patterns that try every way to cut a text. All end soon, and with a sentence.
TEST_F(AdapterTest, PatternsThatGrowOrTryForEverAreRefused) {
    for (const char* pattern : {"a\\7777777777777777777777", "a{77777777777777777777}", "((((a?){99}){99}){99}){99}",
                                "(.+)+(.+)+(.+)+(.+)+never", "((((((((((((((((((((((((((((((((((((((((((((((((((("}) {
        const auto path = saved(some_adapter());
        set(path, "adapter_config.json", "target_modules", pattern);
        const double begin = monotonic_seconds();
        expect_error(load_adapter(path, tiny_spec()), ErrorCode::unsupported, "the module pattern");
        EXPECT_LT(monotonic_seconds() - begin, 5) << pattern;
    }
}

TEST_F(AdapterTest, FilesThatContradictEachOtherAreRefused) {
    const auto path = saved(some_adapter({"query", "value"}));
    set(path, "adapter_config.json", "target_modules", json::array{"query"});
    expect_error(load_adapter(path, tiny_spec()), ErrorCode::corrupt, "does not name");
    set(path, "adapter_config.json", "target_modules", json::array{"query", "value"});
    set(path, "adapter_config.json", "r", 5);
    expect_error(load_adapter(path, tiny_spec()), ErrorCode::invalid_argument, "lora_");
    set(path, "adapter_config.json", "r", 4);
    set(path, "rootstock.json", "labels", json::array{"yes"});
    expect_error(load_adapter(path, tiny_spec()), ErrorCode::invalid_argument, "labels");
}

TEST_F(AdapterTest, NumbersThatAreNotFiniteAreRefused) {
    auto adapter = some_adapter();
    adapter.pairs["pooler"].b[3] = NAN;
    expect_error(load_adapter(saved(adapter), tiny_spec()), ErrorCode::corrupt, "not finite");
}

TEST_F(AdapterTest, AnExistingFolderIsLeftAlone) {
    const auto path = saved(some_adapter());
    const auto again = save_adapter(path, some_adapter(), tiny_spec());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::already_exists);
}

TEST_F(AdapterTest, AForeignFolderGetsDefaultLabels) {
    const auto path = saved(some_adapter());
    fs::remove(path / "rootstock.json");
    const auto read = load_adapter(path, tiny_spec(), "any digest");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
}

// What the peft library itself wrote, with the scales it computes.
class PeftGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(PeftGolden, RanksAndScalesAreThoseOfPeft) {
    const auto folder = kGolden / GetParam();
    if (!fs::exists(folder / "logits.json")) GTEST_SKIP() << folder << " is missing; run its script";
    const auto adapter = load_adapter(folder, tiny_spec());
    ASSERT_TRUE(adapter) << adapter.error().message;
    const auto golden = parse_json(read_file(folder / "logits.json").value(), "golden").value();
    const auto& scaling = golden.at("scaling").as_object();
    EXPECT_EQ(scaling.size(), adapter->pairs.size());
    for (const auto& [module, pair] : adapter->pairs)
        EXPECT_FLOAT_EQ(pair.scale, scaling.at(peft_path(tiny_spec(), module, true)).to_number<float>()) << module;
    EXPECT_EQ(adapter->head.classes, 5);
}

INSTANTIATE_TEST_SUITE_P(Folders, PeftGolden, ::testing::Values("peft_query_value", "peft_rslora_all"));

struct TargetCase {
    const char* targets;  // JSON
    std::size_t selected;
};

class PeftTargets : public ::testing::TestWithParam<TargetCase> {};

TEST_P(PeftTargets, MeansTheSameModulesAsPeft) {
    const auto value = parse_json(std::string(R"({"peft_type":"LORA",)") + GetParam().targets + "}", "config").value();
    const auto config = peft_config_from_json(value, "config");
    ASSERT_TRUE(config) << config.error().message;
    std::size_t selected = 0;
    for (const auto& map : linear_maps(tiny_spec()))
        selected += config->selects(peft_path(tiny_spec(), map.module, true), map).value();
    EXPECT_EQ(selected, GetParam().selected);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, PeftTargets,
    ::testing::Values(TargetCase{R"x("target_modules":["query","value"])x", 4},
                      TargetCase{R"x("target_modules":null)x", 4}, TargetCase{R"x("target_modules":["dense"])x", 7},
                      TargetCase{R"x("target_modules":["output.dense"])x", 4},
                      TargetCase{R"x("target_modules":"all-linear")x", 13},
                      TargetCase{R"x("target_modules":".*\\.(query|key)")x", 4},
                      TargetCase{R"x("target_modules":"query")x", 0},  // an expression must match the whole path
                      TargetCase{R"x("target_modules":".*layer\\.(?!0).*dense")x", 3},
                      TargetCase{R"x("target_modules":["query","value"],"exclude_modules":["value"])x", 2},
                      TargetCase{R"x("target_modules":["query"],"layers_to_transform":[1])x", 1},
                      TargetCase{R"x("target_modules":["query"],"layers_to_transform":0)x", 1}));

// GPT-2 keeps query, key and value as one map: an adapter of some of them becomes one pair there, and comes back.
TEST(FusedMaps, PairsGoIntoOneAndComeBack) {
    auto spec = *load_spec(kGolden / "families/gpt2_sequence");
    Adapter adapter;
    adapter.settings.rank = 2;
    adapter.settings.alpha = 4;
    SeededRandom random(4);
    const auto maps = *select_linear_maps(spec, {"query", "value", "inner"});
    for (const auto& map : maps) {
        LoraPair pair{2, 2.0f, map.in, map.out, {}, {}};
        for (int i = 0; i < 2 * map.in; ++i) pair.a.push_back(static_cast<float>(random.normal()));
        for (int i = 0; i < 2 * map.out; ++i) pair.b.push_back(static_cast<float>(random.normal()));
        adapter.pairs[map.module] = pair;
    }
    adapter.head = {2, spec.width, std::vector<float>(2u * static_cast<std::size_t>(spec.width), 0.5f), {0, 0}};
    adapter.labels = {"a", "b"};
    const auto folder = fs::path(testing::TempDir()) / "rootstock_fused_adapter";
    fs::remove_all(folder);
    ASSERT_TRUE(save_adapter(folder, adapter, spec));
    const auto file = *read_safetensors(folder / "adapter_model.safetensors");
    EXPECT_EQ(file.tensors.at("base_model.model.transformer.h.0.attn.c_attn.lora_B.weight").shape,
              (std::vector<std::int64_t>{3 * spec.width, 4}));
    EXPECT_FALSE(file.tensors.contains("base_model.model.score.bias"));
    const auto again = load_adapter(folder, spec);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->head.bias, adapter.head.bias);
    for (const auto& [module, pair] : adapter.pairs) {
        const auto& back = again->pairs.at(module);
        EXPECT_EQ(back.rank, 2) << module;
        EXPECT_FLOAT_EQ(back.scale, 2.0f) << module;
        EXPECT_EQ(back.a, pair.a) << module;
        EXPECT_EQ(back.b, pair.b) << module;
    }
}

}  // namespace
}  // namespace rootstock
