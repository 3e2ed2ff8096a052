// What the families read from config.json, how they name tensors, and in which form they keep them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/families/family.h"
#include "model/files/tensor_form.h"
#include "model/model.h"

namespace rootstock {
namespace {

Result<TransformerSpec> spec_of(const std::string& text) {
    const auto config = parse_json(text, "config.json").value();
    const auto* type = config.as_object().if_contains("model_type");
    return find_family(std::string(type->as_string())).value()->spec(config, "config.json");
}

TEST(Families, EveryMapAndTensorHasANameInFiles) {
    for (const char* type : {"bert", "roberta", "xlm-roberta", "distilbert", "gpt2", "llama", "mistral", "qwen2", "t5",
                             "mt5", "vit", "deit"}) {
        auto spec = spec_of(std::string(R"({"model_type":")") + type + R"("})");
        ASSERT_TRUE(spec) << type << ": " << spec.error().message;
        const auto& family = family_of(*spec);
        for (const auto& tensor : tensors_of(*spec))
            EXPECT_FALSE(family.tensor_names(tensor.name).empty()) << tensor.name;
        for (const auto& tensor : head_tensors_of(*spec))
            EXPECT_FALSE(family.tensor_names(tensor.name).empty()) << tensor.name;
        for (const auto& map : linear_maps(*spec)) EXPECT_FALSE(family.module_path(map.module).empty()) << map.module;
    }
}

TEST(Families, PathsAreSpelledAsTheReferenceSpellsThem) {
    const auto path = [](const char* config, const char* module) {
        return family_of(spec_of(config).value()).module_path(module);
    };
    EXPECT_EQ(path(R"({"model_type":"bert"})", "layers.3.query"), "bert.encoder.layer.3.attention.self.query");
    const auto dense = [](const char* config) {
        return family_of(spec_of(config).value()).tensor_names("head.dense.weight").front();
    };
    EXPECT_EQ(dense(R"({"model_type":"roberta"})"), "classifier.dense.weight");
    EXPECT_EQ(dense(R"({"model_type":"distilbert"})"), "pre_classifier.weight");
    EXPECT_EQ(dense(R"({"model_type":"t5"})"), "classification_head.dense.weight");
    EXPECT_EQ(path(R"({"model_type":"distilbert"})", "layers.0.value"),
              "distilbert.transformer.layer.0.attention.v_lin");
    EXPECT_EQ(path(R"({"model_type":"gpt2"})", "layers.1.key"), "transformer.h.1.attn.c_attn");
    EXPECT_EQ(path(R"({"model_type":"llama"})", "layers.2.gate"), "model.layers.2.mlp.gate_proj");
    EXPECT_EQ(path(R"({"model_type":"t5"})", "layers.2.inner"),
              "transformer.encoder.block.2.layer.1.DenseReluDense.wi");
    EXPECT_EQ(path(R"({"model_type":"t5","feed_forward_proj":"gated-gelu"})", "decoder.layers.2.inner"),
              "transformer.decoder.block.2.layer.2.DenseReluDense.wi_1");
    EXPECT_EQ(path(R"({"model_type":"t5"})", "decoder.layers.0.cross_query"),
              "transformer.decoder.block.0.layer.1.EncDecAttention.q");
    EXPECT_EQ(path(R"({"model_type":"vit"})", "layers.0.key"), "vit.encoder.layer.0.attention.attention.key");
    EXPECT_EQ(path(R"({"model_type":"ft-transformer","n_cont_features":2})", "layers.1.gate"),
              "backbone.blocks.1.ffn.linear1");
}

TEST(Families, ColumnsOfATableBecomeTokens) {
    const auto spec = spec_of(R"({"model_type":"ft-transformer","n_cont_features":2,"cat_cardinalities":[4,7],
        "n_blocks":2,"d_block":24,"attention_n_heads":4,"ffn_d_hidden":null,"d_out":3,"missing_embeddings":true})");
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->positions_max, 5);
    EXPECT_EQ(spec->inner, 32);
    EXPECT_EQ(spec->mlp, Mlp::gated);
    EXPECT_EQ(spec->head.classes, 3);
    const auto& family = family_of(*spec);
    for (const auto& tensor : tensors_of(*spec)) EXPECT_FALSE(family.tensor_names(tensor.name).empty()) << tensor.name;
    EXPECT_EQ(family.tensor_names("embed.categories.1.weight").front(), "cat_embeddings.embeddings.1.weight");
    EXPECT_EQ(family.form("layers.0.gate.bias").part, 1);
    const auto plain =
        spec_of(R"({"model_type":"ft-transformer","n_cont_features":1,"attention_n_heads":1,"ffn_activation":"ReLU"})");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(family_of(*plain).form("layers.0.inner.weight").parts, 1);
    EXPECT_FALSE(plain->attention_output) << "one head has nothing to mix";
    EXPECT_FALSE(plain->final_norm) << "without d_out there is no head, nor the norm in front of it";
}

TEST(Families, WrongColumnsAreNamed) {
    const auto fault = [](const char* fields) {
        const auto spec = spec_of(std::string(R"({"model_type":"ft-transformer",)") + fields + "}");
        return spec ? std::string("accepted") : spec.error().param;
    };
    EXPECT_EQ(fault(R"("n_cont_features":0)"), "n_cont_features");
    EXPECT_EQ(fault(R"("cat_cardinalities":[3,0])"), "cat_cardinalities");
    EXPECT_EQ(fault(R"("cat_cardinalities":"3")"), "cat_cardinalities");
    EXPECT_EQ(fault(R"("n_cont_features":1,"ffn_activation":"GEGLU")"), "ffn_activation");
    EXPECT_EQ(fault(R"("n_cont_features":1,"linformer_kv_compression_ratio":0.2)"), "linformer_kv_compression_ratio");
    EXPECT_EQ(fault(R"("n_cont_features":1,"ffn_d_hidden_multiplier":1024,"d_block":65536)"),
              "ffn_d_hidden_multiplier");
}

TEST(Families, AWindowOfTheUpperLayersIsReadAndAnotherPatternRefused) {
    const std::string begin = R"({"model_type":"qwen2","num_hidden_layers":3,"use_sliding_window":true,)"
                              R"("sliding_window":6,"max_window_layers":1,"layer_types":["full_attention",)";
    const auto spec = spec_of(begin + R"("sliding_attention","sliding_attention"]})");
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->window, 6);
    EXPECT_EQ(spec->window_first_layer, 1);
    const auto other = spec_of(begin + R"("full_attention","sliding_attention"]})");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::unsupported);
    EXPECT_EQ(other.error().param, "layer_types");
}

TEST(Families, BothSpellingsOfRotaryPositionsGiveTheSame) {
    const auto old = spec_of(R"({"model_type":"llama","max_position_embeddings":2048,"rope_theta":5000.0,
                                 "rope_scaling":{"type":"linear","factor":2.0}})");
    const auto young = spec_of(R"({"model_type":"llama","max_position_embeddings":2048,
                                   "rope_parameters":{"rope_theta":5000.0,"rope_type":"linear","factor":2.0}})");
    ASSERT_TRUE(old && young);
    for (const auto& spec : {*old, *young}) {
        EXPECT_EQ(spec.rotary.scaling, RotaryScaling::linear);
        EXPECT_EQ(spec.rotary.theta, 5000);
        EXPECT_EQ(spec.rotary.factor, 2);
        EXPECT_EQ(spec.rotary.original, 2048);
        EXPECT_EQ(spec.positions_max, 4096);
    }
}

TEST(Families, OptionsAreRead) {
    const auto qwen = spec_of(R"({"model_type":"qwen2","num_attention_heads":8,"num_key_value_heads":2,
        "hidden_size":64,"use_sliding_window":true,"sliding_window":128,"max_window_layers":3,
        "architectures":["Qwen2ForCausalLM"],"tie_word_embeddings":true,"eos_token_id":[7,9]})");
    ASSERT_TRUE(qwen) << qwen.error().message;
    EXPECT_TRUE(qwen->query_key_value_biases);
    EXPECT_FALSE(qwen->attention_output_biases);
    EXPECT_EQ(qwen->key_value_width(), 16);
    EXPECT_EQ(qwen->window, 128);
    EXPECT_EQ(qwen->window_first_layer, 3);
    EXPECT_TRUE(qwen->head.tied);
    EXPECT_EQ(qwen->end_ids, (std::vector<int>{7, 9}));
    const auto roberta = spec_of(R"({"model_type":"roberta","max_position_embeddings":514,"type_vocab_size":1})");
    EXPECT_EQ(roberta->positions_max, 512);
    EXPECT_EQ(roberta->position_offset, 2);
    EXPECT_EQ(position_rows(*roberta), 514);
    const auto t5 = spec_of(R"({"model_type":"t5","d_model":64,"d_kv":8,"num_heads":4})");
    EXPECT_EQ(t5->score_scale, 1);
    EXPECT_EQ(t5->query_width(), 32);
    EXPECT_EQ(t5->head.scale, 0.125);
    const auto vit = spec_of(R"({"model_type":"vit","image_size":32,"patch_size":8})");
    EXPECT_EQ(vit->positions_max, 17);
    EXPECT_NEAR(spec_of(R"({"model_type":"gpt2"})")->score_scale, 0.125, 1e-12);
}

TEST(Families, WhatWeDoNotRunIsNamed) {
    const auto refused = [](const char* config) {
        const auto spec = spec_of(config);
        return spec ? std::string("accepted") : spec.error().code == ErrorCode::unsupported ? spec.error().message : "";
    };
    EXPECT_NE(
        refused(R"({"model_type":"llama","rope_scaling":{"rope_type":"longrope","factor":2.0}})").find("longrope"),
        std::string::npos);
    EXPECT_NE(refused(R"({"model_type":"bert","hidden_act":"mish"})").find("mish"), std::string::npos);
    EXPECT_NE(refused(R"({"model_type":"bert","position_embedding_type":"relative_key"})").find("relative_key"),
              std::string::npos);
    EXPECT_NE(refused(R"({"model_type":"gpt2","scale_attn_by_inverse_layer_idx":true})").find("inverse"),
              std::string::npos);
    EXPECT_EQ(spec_of(R"({"model_type":"llama","num_attention_heads":6,"num_key_value_heads":4,"hidden_size":48})")
                  .error()
                  .code,
              ErrorCode::invalid_argument);
}

TEST(TensorForm, FusedAndTransposedPiecesComeOut) {
    const std::vector<float> fused{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};  // [in 2, out 6]
    const auto tensor = make_tensor({2, 6}, fused);
    const std::int64_t shape[] = {2, 2};
    const auto key = in_our_form(tensor, {true, 1, 3}, shape);
    ASSERT_TRUE(key);
    EXPECT_EQ(to_floats(*key), (std::vector<float>{2, 12, 3, 13}));
    const std::int64_t wide[] = {3, 2};
    EXPECT_FALSE(in_our_form(tensor, {true, 1, 3}, wide));
    const std::int64_t two[] = {2};
    EXPECT_EQ(to_floats(*in_our_form(make_tensor({6}, std::span(fused).first(6)), {false, 2, 3}, two)),
              (std::vector<float>{4, 5}));
    const std::int64_t flat[] = {2, 6};
    EXPECT_EQ(to_floats(*in_our_form(make_tensor({2, 3, 1, 2}, fused), {}, flat)), fused);
    EXPECT_EQ(to_floats(*in_our_form(make_tensor({1, 2, 6}, fused), {}, flat)), fused);
    EXPECT_FALSE(in_our_form(make_tensor({6, 2}, fused), {}, flat));
}

TEST(Positions, BucketsGrowWithDistance) {
    const RelativeBuckets relative{32, 128};
    EXPECT_EQ(relative_bucket(relative, 0, true), 0);
    EXPECT_EQ(relative_bucket(relative, 3, true), 19);
    EXPECT_EQ(relative_bucket(relative, -3, true), 3);
    EXPECT_EQ(relative_bucket(relative, 5, false), 0);
    EXPECT_EQ(relative_bucket(relative, -5, false), 5);
    EXPECT_EQ(relative_bucket(relative, -1000, false), 31);
    EXPECT_EQ(relative_bucket(relative, 1000, true), 31);
}

}  // namespace
}  // namespace rootstock
