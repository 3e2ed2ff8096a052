// T5 (Raffel et al., 2020), FLAN-T5 and mT5 as transformers spells them: an encoder and a decoder, RMS norms before, a
// bias by distance shared by all layers of a stack, scores not scaled, no biases.

#include <array>
#include <cmath>

#include "model/families/family.h"
#include "model/families/read_config.h"

namespace rootstock {

namespace {

constexpr NameRow kBody[] = {
    {"embed.tokens", "shared"},
    {"final_norm", "encoder.final_layer_norm"},
    {"relative_bias", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias"},
    {"decoder.final_norm", "decoder.final_layer_norm"},
    {"decoder.relative_bias", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias"}};

constexpr NameRow kLayer[] = {{"attention_norm", "layer.0.layer_norm"},
                              {"query", "layer.0.SelfAttention.q"},
                              {"key", "layer.0.SelfAttention.k"},
                              {"value", "layer.0.SelfAttention.v"},
                              {"attention_output", "layer.0.SelfAttention.o"},
                              {"output_norm", "layer.1.layer_norm"},
                              {"gate", "layer.1.DenseReluDense.wi_0"},
                              {"inner", "layer.1.DenseReluDense.wi_1"},
                              {"output", "layer.1.DenseReluDense.wo"}};

constexpr NameRow kDecoderLayer[] = {{"attention_norm", "layer.0.layer_norm"},
                                     {"query", "layer.0.SelfAttention.q"},
                                     {"key", "layer.0.SelfAttention.k"},
                                     {"value", "layer.0.SelfAttention.v"},
                                     {"attention_output", "layer.0.SelfAttention.o"},
                                     {"cross_norm", "layer.1.layer_norm"},
                                     {"cross_query", "layer.1.EncDecAttention.q"},
                                     {"cross_key", "layer.1.EncDecAttention.k"},
                                     {"cross_value", "layer.1.EncDecAttention.v"},
                                     {"cross_attention_output", "layer.1.EncDecAttention.o"},
                                     {"output_norm", "layer.2.layer_norm"},
                                     {"gate", "layer.2.DenseReluDense.wi_0"},
                                     {"inner", "layer.2.DenseReluDense.wi_1"},
                                     {"output", "layer.2.DenseReluDense.wo"}};

// The plain MLP of T5 1.0 has one map where the gated one has two.
template <std::size_t N>
constexpr std::array<NameRow, N> plain_of(const NameRow (&rows)[N]) {
    std::array<NameRow, N> plain{};
    for (std::size_t i = 0; i < N; ++i) {
        plain[i] = rows[i];
        if (rows[i].theirs == "layer.1.DenseReluDense.wi_1") plain[i].theirs = "layer.1.DenseReluDense.wi";
        if (rows[i].theirs == "layer.2.DenseReluDense.wi_1") plain[i].theirs = "layer.2.DenseReluDense.wi";
    }
    return plain;
}

constexpr auto kPlainLayer = plain_of(kLayer);
constexpr auto kPlainDecoderLayer = plain_of(kDecoderLayer);

constexpr NameRow kTensors[] = {{"embed.tokens.weight", "encoder.embed_tokens.weight"},
                                {"embed.tokens.weight", "decoder.embed_tokens.weight"}};

constexpr NameRow kHead[] = {{"head.weight", "lm_head.weight"},
                             {"head.weight", "classification_head.out_proj.weight"},
                             {"head.bias", "classification_head.out_proj.bias"},
                             {"head.dense.weight", "classification_head.dense.weight"},
                             {"head.dense.bias", "classification_head.dense.bias"}};

constexpr FamilyNames kNames{"transformer.", kBody, "encoder.block.", kLayer,
                             kTensors,       kHead, "decoder.block.", kDecoderLayer};
constexpr FamilyNames kPlainNames{"transformer.", kBody, "encoder.block.", kPlainLayer,
                                  kTensors,       kHead, "decoder.block.", kPlainDecoderLayer};

void read_mlp(ConfigReader& config, const char* fallback) {
    auto& spec = config.spec;
    auto word = config.fields.optional_string("feed_forward_proj", fallback);
    constexpr std::string_view kGated = "gated-";
    if (word.starts_with(kGated)) {
        spec.mlp = Mlp::gated;
        word = word.substr(kGated.size());
        if (word == "gelu") word = "gelu_new";  // as the reference reads it
    }
    config.activation("feed_forward_proj", word, spec.activation);
}

// A classifier reads the decoder's state of the row's last token, which is the end token that T5's tokenizers put
// there.
void read_head(ConfigReader& config, bool tied) {
    auto& spec = config.spec;
    config.head(HeadKind::causal_lm);
    if (spec.head.kind == HeadKind::token || spec.head.kind == HeadKind::span)
        config.unsupported("architectures", "a token classifier on T5");
    spec.head.bias = spec.head.dense = spec.head.kind == HeadKind::sequence;
    spec.pooling = Pooling::last;
    spec.classifier_dense = true;
    spec.head.tied = spec.head.kind == HeadKind::causal_lm && config.fields.optional_bool("tie_word_embeddings", tied);
    if (spec.head.tied) spec.head.scale = 1 / std::sqrt(spec.width);
    if (!config.architecture_ends("EncoderModel")) return;
    spec.decoder_layers = 0;
    spec.classifier_pools = true;  // a classifier reads the decoder: on an encoder alone there is nothing for it
}

Result<TransformerSpec> read_t5(const json::value& value, std::string_view what, const char* family, const char* mlp,
                                bool tied) {
    ConfigReader config(value, what, family);
    auto& spec = config.spec;
    spec.vocabulary = config.size("vocab_size", 32128, 1 << 24);
    spec.width = config.size("d_model", 512, 1 << 16);
    spec.layers = config.size("num_layers", 6, 1 << 10);
    spec.decoder_layers = config.size("num_decoder_layers", spec.layers, 1 << 10);
    spec.heads = spec.key_value_heads = config.size("num_heads", 8, 1 << 10);
    spec.head_width = config.size("d_kv", 64, 1 << 12);
    spec.inner = config.size("d_ff", 2048, 1 << 18);
    spec.positions_max = 1 << 14;  // distances have no end; this bounds one row's memory
    spec.positions = Positions::relative_buckets;
    spec.relative.buckets = config.size("relative_attention_num_buckets", 32, 1 << 12);
    spec.relative.distance_max = config.size("relative_attention_max_distance", 128, 1 << 20);
    if (spec.relative.buckets % 4 != 0 || spec.relative.distance_max <= spec.relative.buckets / 2)
        config.unsupported("relative_attention_num_buckets", std::to_string(spec.relative.buckets));
    spec.score_scale = 1;
    spec.norm = NormKind::rms;
    spec.norm_place = NormPlace::before;
    spec.embedding_norm = false;
    spec.final_norm = true;
    spec.query_key_value_biases = spec.attention_output_biases = spec.mlp_biases = false;
    spec.norm_eps = config.fields.optional_number("layer_norm_epsilon", 1e-6, 0, 1);
    spec.hidden_dropout = spec.attention_dropout = config.share("dropout_rate", 0.1);
    spec.classifier_dropout = config.share("classifier_dropout", 0);
    spec.pad_id = config.count("pad_token_id", 0, 1 << 24);
    spec.start_id = config.count("decoder_start_token_id", spec.pad_id, 1 << 24);
    config.end_ids(1);
    read_mlp(config, mlp);
    read_head(config, tied);
    return config.finish();
}

Result<TransformerSpec> t5_spec(const json::value& value, std::string_view what) {
    return read_t5(value, what, t5_family.name, "relu", true);
}

Result<TransformerSpec> mt5_spec(const json::value& value, std::string_view what) {
    return read_t5(value, what, mt5_family.name, "gated-gelu", false);
}

}  // namespace

namespace {

const Family kPlainT5{"t5", t5_spec, kPlainNames, "transformer.", "classification_head"};
const Family kPlainMt5{"mt5", mt5_spec, kPlainNames, "transformer.", "classification_head"};

}  // namespace

const Family t5_family{"t5", t5_spec, kNames, "transformer.", "classification_head", nullptr, &kPlainT5};
const Family mt5_family{"mt5", mt5_spec, kNames, "transformer.", "classification_head", nullptr, &kPlainMt5};

}  // namespace rootstock
