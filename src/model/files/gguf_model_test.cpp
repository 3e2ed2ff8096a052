#include "model/files/gguf_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "model/files/model_folder.h"
#include "model/files/stored_model.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden";

// The number that the golden script puts there.
float known(const std::string& name, std::size_t i) {
    return static_cast<float>(static_cast<int>((7 * i + 13 * name.size()) % 255) - 127) / 64;
}

void expect_known(const std::map<std::string, HostTensor>& tensors) {
    for (const auto& [name, tensor] : tensors) {
        const auto values = to_floats(tensor);
        for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], known(name, i)) << name << " " << i;
    }
}

GgufModel golden(const std::string& architecture) {
    auto model = read_gguf_model(kGolden / ("gguf_" + architecture + ".gguf"));
    EXPECT_TRUE(model) << model.error().message;
    return model ? std::move(*model) : GgufModel{};
}

TEST(GgufModel, LlamaHasTheNamesRowsAndFactsOfHuggingFace) {
    const auto model = golden("llama");
    EXPECT_EQ(model.tensors.size(), 20u);
    expect_known(model.tensors);
    const auto& config = model.config;
    EXPECT_EQ(config.at("model_type"), "llama");
    EXPECT_EQ(config.at("hidden_size"), 32);
    EXPECT_EQ(config.at("num_hidden_layers"), 2);
    EXPECT_EQ(config.at("num_attention_heads"), 4);
    EXPECT_EQ(config.at("num_key_value_heads"), 2);
    EXPECT_EQ(config.at("head_dim"), 8);
    EXPECT_EQ(config.at("intermediate_size"), 64);
    EXPECT_EQ(config.at("max_position_embeddings"), 48);
    EXPECT_EQ(config.at("vocab_size"), 261);
    EXPECT_EQ(config.at("rms_norm_eps").as_double(), 1e-5);  // not the fp32 next to it
    EXPECT_EQ(config.at("rope_theta").as_double(), 100000);
    EXPECT_TRUE(config.at("rope_scaling").is_null());
    EXPECT_EQ(config.at("rope_parameters").at("rope_type"), "default");
    EXPECT_EQ(config.at("tie_word_embeddings"), true);
    EXPECT_EQ(config.at("attention_bias"), false);
    EXPECT_EQ(config.at("bos_token_id"), 259);
    EXPECT_EQ(config.at("eos_token_id"), 260);
    EXPECT_EQ(model.tokenizer_config.at("chat_template"), "{{ messages[0]['content'] }}");
    EXPECT_EQ(model.tokenizer_config.at("eos_token"), "<|end|>");
}

TEST(GgufModel, Qwen2KeepsRowsAndBiases) {
    const auto model = golden("qwen2");
    EXPECT_EQ(model.tensors.size(), 27u);
    expect_known(model.tensors);
    EXPECT_EQ(model.config.at("model_type"), "qwen2");
    EXPECT_EQ(model.config.at("tie_word_embeddings"), false);
    EXPECT_TRUE(model.tensors.contains("lm_head.weight"));
}

TEST(GgufModel, Gpt2StandsTransposedAndTied) {
    const auto model = golden("gpt2");
    EXPECT_EQ(model.tensors.size(), 28u);
    expect_known(model.tensors);
    EXPECT_EQ(model.tensors.at("transformer.h.0.attn.c_attn.weight").shape, (std::vector<std::int64_t>{32, 96}));
    EXPECT_EQ(model.config.at("n_embd"), 32);
    EXPECT_EQ(model.config.at("n_inner"), 64);
    EXPECT_EQ(model.config.at("layer_norm_epsilon").as_double(), 1e-5);
    EXPECT_EQ(model.config.at("tie_word_embeddings"), true);  // its output table repeats the tokens' byte by byte
    EXPECT_FALSE(model.tensors.contains("lm_head.weight"));
}

TEST(GgufModel, BertLoadsAsEveryBertDoes) {
    const auto model = golden("bert");
    expect_known(model.tensors);
    EXPECT_EQ(model.config.at("layer_norm_eps").as_double(), 1e-12);
    const auto loaded = load_model(kGolden / "gguf_bert.gguf");
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->spec.family, "bert");
    EXPECT_FALSE(loaded->spec.pooler);
    EXPECT_EQ(loaded->spec.layers, 2);
    EXPECT_EQ(to_floats(loaded->weights.at("layers.1.inner.weight")),
              to_floats(model.tensors.at("bert.encoder.layer.1.intermediate.dense.weight")));
    EXPECT_EQ(load_spec(kGolden / "gguf_bert.gguf")->width, 32);
    const auto tokenizer = parse_json(model.tokenizer_json, "tokenizer").value();
    const auto& vocabulary = tokenizer.at("model").at("vocab").as_object();
    for (const char* token : {"[CLS]", "the", "##ing", "##s", "play", "a"})
        EXPECT_TRUE(vocabulary.contains(token)) << token;
    EXPECT_EQ(tokenizer.at("normalizer").at("lowercase"), true);
}

TEST(GgufModel, RowsInterleaveAndSeparate) {
    std::vector<float> rows(8);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i);
    const auto tensor = make_tensor({8, 1}, rows);
    EXPECT_EQ(to_floats(interleaved_rows(tensor, 2)), (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7}));
    EXPECT_EQ(to_floats(separated_rows(interleaved_rows(tensor, 2), 2)), rows);
    EXPECT_EQ(to_floats(separated_rows(interleaved_rows(tensor, 1), 1)), rows);
    EXPECT_EQ(to_floats(interleaved_rows(tensor, 1)), (std::vector<float>{0, 4, 1, 5, 2, 6, 3, 7}));
}

// ---- facts that a file may lack or twist ----

class GgufFacts : public ::testing::Test {
protected:
    static Gguf file(const std::string& architecture) {
        auto gguf = read_gguf(kGolden / ("gguf_" + architecture + ".gguf"));
        EXPECT_TRUE(gguf);
        return std::move(*gguf);
    }
    static void expect_error(const Gguf& gguf, ErrorCode code, const std::string& word) {
        const auto config = gguf_config(gguf, "x.gguf");
        ASSERT_FALSE(config) << word;
        EXPECT_EQ(config.error().code, code) << config.error().message;
        EXPECT_NE(config.error().message.find(word), std::string::npos) << config.error().message;
    }
};

TEST_F(GgufFacts, EveryFactThatIsMissingIsNamed) {
    for (const char* key :
         {"llama.embedding_length", "llama.block_count", "llama.feed_forward_length", "llama.attention.head_count",
          "llama.context_length", "llama.attention.layer_norm_rms_epsilon", "general.architecture"}) {
        auto gguf = file("llama");
        gguf.values.erase(key);
        expect_error(gguf, ErrorCode::corrupt, key);
    }
}

TEST_F(GgufFacts, WhatWeDoNotRunIsNamed) {
    const auto with = [](const char* key, GgufValue value) {
        auto gguf = file("llama");
        gguf.values[key] = std::move(value);
        return gguf;
    };
    expect_error(with("general.architecture", GgufValue::of_string("mamba")), ErrorCode::unsupported, "mamba");
    expect_error(with("general.type", GgufValue::of_string("adapter")), ErrorCode::unsupported, "adapter");
    expect_error(with("llama.expert_count", GgufValue::of_u32(8)), ErrorCode::unsupported, "mixture of experts");
    expect_error(with("split.count", GgufValue::of_u32(3)), ErrorCode::unsupported, "one of 3 parts");
    expect_error(with("llama.rope.scaling.type", GgufValue::of_string("longrope")), ErrorCode::unsupported, "longrope");
    expect_error(with("llama.rope.dimension_count", GgufValue::of_u32(4)), ErrorCode::unsupported,
                 "rotates 4 of the 8");
    expect_error(with("llama.attention.head_count_kv", GgufValue::of_i32s({2, 1})), ErrorCode::unsupported,
                 "every layer");
    auto linear = with("llama.rope.scaling.type", GgufValue::of_string("linear"));
    linear.values["llama.rope.scaling.factor"] = GgufValue::of_f32(2);
    EXPECT_EQ(gguf_config(linear, "x")->at("rope_scaling").at("rope_type"), "linear");
    EXPECT_EQ(gguf_config(linear, "x")->at("rope_parameters").at("rope_theta"), 100000.0);
}

TEST_F(GgufFacts, TheScalingOfLlama3IsKnownByItsDivisors) {
    auto gguf = file("llama");
    std::vector<float> divisors;
    for (int i = 0; i < 4; ++i) {
        const double wave = 2 * M_PI * std::pow(100000.0, 2.0 * i / 8);
        const double smooth = std::clamp((8192 / wave - 1) / 3, 0.0, 1.0);
        divisors.push_back(static_cast<float>(1 / ((1 - smooth) / 32 + smooth)));
    }
    gguf.tensors.emplace("rope_freqs.weight", make_tensor({4}, divisors));
    const auto config = gguf_config(gguf, "x.gguf");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->at("rope_scaling").at("rope_type"), "llama3");
    EXPECT_EQ(config->at("rope_scaling").at("factor").as_double(), 32);
    divisors[2] *= 1.5f;
    gguf.tensors["rope_freqs.weight"] = make_tensor({4}, divisors);
    expect_error(gguf, ErrorCode::unsupported, "rope_freqs.weight");
}

TEST_F(GgufFacts, TensorsWithoutAPlaceAreNamed) {
    auto gguf = file("llama");
    gguf.tensors.emplace("blk.0.attn_rel_b.weight", gguf.tensors.at("blk.0.attn_norm.weight"));
    const auto strange = gguf_tensors(gguf, "x.gguf");
    ASSERT_FALSE(strange);
    EXPECT_EQ(strange.error().code, ErrorCode::unsupported);
    EXPECT_NE(strange.error().message.find("attn_rel_b"), std::string::npos);
    gguf.tensors.erase("blk.0.attn_rel_b.weight");
    gguf.tensors["blk.0.attn_q.weight"].shape = {31, 32};
    EXPECT_EQ(gguf_tensors(gguf, "x.gguf").error().code, ErrorCode::corrupt);
}

TEST_F(GgufFacts, VocabulariesThatContradictThemselvesAreRefused) {
    const auto expect = [](Gguf gguf, ErrorCode code, const std::string& word) {
        const auto text = gguf_tokenizer_json(gguf, "x.gguf");
        ASSERT_FALSE(text) << word;
        EXPECT_EQ(text.error().code, code) << text.error().message;
        EXPECT_NE(text.error().message.find(word), std::string::npos) << text.error().message;
    };
    const auto with = [](const char* key, GgufValue value) {
        auto gguf = file("llama");
        gguf.values[key] = std::move(value);
        return gguf;
    };
    expect(with("tokenizer.ggml.model", GgufValue::of_string("rwkv")), ErrorCode::unsupported, "rwkv");
    expect(with("tokenizer.ggml.pre", GgufValue::of_string("viking")), ErrorCode::unsupported, "viking");
    expect(with("tokenizer.ggml.token_type", GgufValue::of_i32s({1})), ErrorCode::corrupt, "types of 1");
    expect(with("tokenizer.ggml.tokens", GgufValue::of_strings({"a", "a"})), ErrorCode::corrupt, "types");
    expect(with("tokenizer.ggml.merges", GgufValue::of_strings({"ab"})), ErrorCode::corrupt, "no pair");
    expect(with("tokenizer.ggml.merges", GgufValue::of_strings({"a b c"})), ErrorCode::corrupt, "no pair");
    expect(with("tokenizer.ggml.merges", GgufValue::of_strings({"zz y"})), ErrorCode::corrupt, "does not have");
    auto twice = with("tokenizer.ggml.tokens", GgufValue::of_strings({"a", "a"}));
    twice.values.erase("tokenizer.ggml.token_type");
    expect(twice, ErrorCode::corrupt, "twice");
    twice.values["tokenizer.ggml.tokens"] = GgufValue::of_strings({"\xff\xfe"});
    twice.values["tokenizer.ggml.merges"] = GgufValue::of_strings({});
    expect(twice, ErrorCode::corrupt, "no text");
    auto pieces = with("tokenizer.ggml.model", GgufValue::of_string("llama"));
    expect(pieces, ErrorCode::corrupt, "scores of 0");
    std::vector<double> scores(261, -1);
    scores[7] = NAN;
    pieces.values["tokenizer.ggml.scores"] = GgufValue::of_f32s(scores);
    expect(pieces, ErrorCode::corrupt, "score that is no number");
    auto silent = file("llama");
    silent.values.erase("tokenizer.ggml.pre");
    expect(silent, ErrorCode::unsupported, "tokenizer.ggml.pre");
}

// ---- out again ----

class GgufWritten : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("ggufs-" + secret_base62(8));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    fs::path folder_;
};

class GgufOut : public GgufWritten, public ::testing::WithParamInterface<const char*> {};

TEST_P(GgufOut, FolderAndFileHoldTheSameModel) {
    const auto path = kGolden / ("gguf_" + std::string(GetParam()) + ".gguf");
    const auto model = read_stored_model(path);
    ASSERT_TRUE(model) << model.error().message;
    const auto side_files = read_side_files(path);
    ASSERT_TRUE(side_files) << side_files.error().message;
    ASSERT_TRUE(write_model_folder(*model, *side_files, folder_ / "hf", {}));
    const auto folder = read_stored_model(folder_ / "hf");
    ASSERT_TRUE(folder) << folder.error().message;
    expect_known(folder->tensors);
    EXPECT_EQ(folder->tensors.size(), model->tensors.size());
    EXPECT_EQ(folder->config.at("torch_dtype"), "float32");
    EXPECT_EQ(folder->config.at("dtype"), "float32");
    const auto again = read_side_files(folder_ / "hf");
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *side_files);
    const auto left_out = write_gguf_model(*folder, *again, folder_ / "x.gguf", Dtype::f16);
    ASSERT_TRUE(left_out) << left_out.error().message;
    EXPECT_TRUE(left_out->empty());
    const auto theirs = read_gguf(path).value(), ours = read_gguf(folder_ / "x.gguf").value();
    for (const auto& [name, tensor] : ours.tensors) {
        EXPECT_EQ(to_floats(tensor), to_floats(theirs.tensors.at(name))) << name;
        EXPECT_EQ(tensor.dtype, theirs.tensors.at(name).dtype) << name;
    }
    EXPECT_EQ(gguf_config(ours, "ours").value(), gguf_config(theirs, "theirs").value());
    EXPECT_EQ(gguf_tokenizer_json(ours, "ours").value(), gguf_tokenizer_json(theirs, "theirs").value());
    for (const auto dtype : {Dtype::q8_0, Dtype::q4_0}) {
        const auto small = folder_ / (std::string(name(dtype)) + ".gguf");
        ASSERT_TRUE(write_gguf_model(*model, *side_files, small, dtype));
        const auto read = read_gguf(small).value();
        EXPECT_EQ(read.tensors.at("token_embd.weight").dtype, dtype);
        EXPECT_TRUE(read_stored_model(small));
    }
}

INSTANTIATE_TEST_SUITE_P(Architectures, GgufOut, ::testing::Values("llama", "qwen2", "gpt2", "bert"));

TEST_F(GgufWritten, ShardsNameEveryTensorAndTheirBytes) {
    const auto model = read_stored_model(kGolden / "gguf_llama.gguf").value();
    ModelFormat format{Dtype::bf16, false, 20000};
    ASSERT_TRUE(write_model_folder(model, {}, folder_ / "hf", format));
    EXPECT_FALSE(fs::exists(folder_ / "hf/model.safetensors"));
    const auto index = parse_json(read_file(folder_ / "hf/model.safetensors.index.json").value(), "index").value();
    EXPECT_EQ(index.at("weight_map").as_object().size(), model.tensors.size());
    std::int64_t elements = 0;
    for (const auto& [name, tensor] : model.tensors) elements += tensor.elements();
    EXPECT_EQ(index.at("metadata").at("total_size").to_number<std::int64_t>(), 2 * elements);
    EXPECT_TRUE(fs::exists(folder_ / "hf/model-00001-of-00003.safetensors")) << json::serialize(index.at("weight_map"));
    const auto read = read_stored_model(folder_ / "hf");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->tensors.size(), model.tensors.size());
    EXPECT_EQ(read->tensors.begin()->second.dtype, Dtype::bf16);
    const auto again = write_model_folder(model, {}, folder_ / "hf", format);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::already_exists);
}

TEST_F(GgufWritten, TiedTablesAreStoredOnce) {
    auto model = read_stored_model(kGolden / "gguf_llama.gguf").value();
    model.tensors["lm_head.weight"] = model.tensors.at("model.embed_tokens.weight");
    ASSERT_TRUE(write_model_folder(model, {}, folder_ / "tied", {}));
    EXPECT_FALSE(read_stored_model(folder_ / "tied")->tensors.contains("lm_head.weight"));
    model.config["tie_word_embeddings"] = false;
    ASSERT_TRUE(write_model_folder(model, {}, folder_ / "apart", {}));
    EXPECT_TRUE(read_stored_model(folder_ / "apart")->tensors.contains("lm_head.weight"));
}

TEST(CompleteConfig, BothSpellingsFollowFromEither) {
    json::object older{{"model_type", "llama"},
                       {"rope_theta", 5e5},
                       {"rope_scaling", json::object{{"type", "linear"}, {"factor", 2.0}}},
                       {"id2label", json::object{{"0", "no"}, {"1", "yes"}}}};
    complete_config(older, Dtype::bf16);
    EXPECT_EQ(older.at("rope_parameters"),
              (json::object{{"factor", 2.0}, {"rope_type", "linear"}, {"rope_theta", 5e5}}));
    EXPECT_EQ(older.at("torch_dtype"), "bfloat16");
    EXPECT_EQ(older.at("dtype"), "bfloat16");
    EXPECT_EQ(older.at("label2id"), (json::object{{"no", 0}, {"yes", 1}}));
    EXPECT_EQ(older.at("architectures"), (json::array{"LlamaForCausalLM"}));
    json::object newer{{"model_type", "llama"},
                       {"rope_parameters", json::object{{"rope_theta", 1e4}, {"rope_type", "default"}}}};
    complete_config(newer, Dtype::f32);
    EXPECT_EQ(newer.at("rope_theta"), 1e4);
    EXPECT_TRUE(newer.at("rope_scaling").is_null());
}

// For tests/interop: the tokenizers of vocabularies kept elsewhere, written where a script reads them.
TEST(GgufVocabularies, AreWrittenForTheReferenceLibrary) {
    const char* from = std::getenv("ROOTSTOCK_GGUF_FROM");
    const char* to = std::getenv("ROOTSTOCK_GGUF_TO");
    if (!from || !to) GTEST_SKIP() << "ROOTSTOCK_GGUF_FROM and ROOTSTOCK_GGUF_TO name no files";
    const auto gguf = read_gguf(from);
    ASSERT_TRUE(gguf) << gguf.error().message;
    const auto text = gguf_tokenizer_json(*gguf, from);
    ASSERT_TRUE(text) << text.error().message;
    ASSERT_TRUE(write_file_atomically(to, *text));
    // And back: the vocabulary made of this tokenizer.json gives the same one again.
    const std::map<std::string, std::string> files{
        {"tokenizer.json", *text}, {"tokenizer_config.json", json::serialize(gguf_tokenizer_config(*gguf))}};
    const auto rows = static_cast<std::int64_t>(gguf->texts("tokenizer.ggml.tokens")->size());
    auto values = gguf_vocabulary(files, {}, rows);
    ASSERT_TRUE(values) << values.error().message;
    Gguf again;
    again.values = std::move(*values);
    EXPECT_TRUE(gguf_tokenizer_json(again, "again").value() == *text);
}

}  // namespace
}  // namespace rootstock
