// BERT (Devlin et al., 2018) and its kin as transformers spells them: post-norm, learned positions, GELU. RoBERTa and
// XLM-R begin their positions behind the padding id and have one token type; DistilBERT has none. MiniLM is BERT.

#include "model/families/family.h"
#include "model/families/read_config.h"

namespace rootstock {

namespace {

constexpr NameRow kBody[] = {{"embed.tokens", "embeddings.word_embeddings"},
                             {"embed.positions", "embeddings.position_embeddings"},
                             {"embed.types", "embeddings.token_type_embeddings"},
                             {"embed.norm", "embeddings.LayerNorm"},
                             {"pooler", "pooler.dense"}};

constexpr NameRow kLayer[] = {{"query", "attention.self.query"},
                              {"key", "attention.self.key"},
                              {"value", "attention.self.value"},
                              {"attention_output", "attention.output.dense"},
                              {"attention_norm", "attention.output.LayerNorm"},
                              {"inner", "intermediate.dense"},
                              {"output", "output.dense"},
                              {"output_norm", "output.LayerNorm"}};

constexpr NameRow kHead[] = {{"head.weight", "classifier.weight"},
                             {"head.weight", "qa_outputs.weight"},
                             {"head.weight", "cls.predictions.decoder.weight"},
                             {"head.bias", "classifier.bias"},
                             {"head.bias", "qa_outputs.bias"},
                             {"head.bias", "cls.predictions.bias"},
                             {"head.bias", "cls.predictions.decoder.bias"},
                             {"head.transform.weight", "cls.predictions.transform.dense.weight"},
                             {"head.transform.bias", "cls.predictions.transform.dense.bias"},
                             {"head.norm.weight", "cls.predictions.transform.LayerNorm.weight"},
                             {"head.norm.weight", "cls.predictions.transform.LayerNorm.gamma"},
                             {"head.norm.bias", "cls.predictions.transform.LayerNorm.bias"},
                             {"head.norm.bias", "cls.predictions.transform.LayerNorm.beta"}};

// RoBERTa keeps the map before a classifier's last one with the classifier.
constexpr NameRow kRobertaBody[] = {kBody[0], kBody[1], kBody[2], kBody[3]};

constexpr NameRow kRobertaHead[] = {{"head.dense.weight", "classifier.dense.weight"},
                                    {"head.dense.bias", "classifier.dense.bias"},
                                    {"head.weight", "classifier.out_proj.weight"},
                                    {"head.weight", "classifier.weight"},
                                    {"head.weight", "qa_outputs.weight"},
                                    {"head.weight", "lm_head.decoder.weight"},
                                    {"head.bias", "classifier.out_proj.bias"},
                                    {"head.bias", "classifier.bias"},
                                    {"head.bias", "qa_outputs.bias"},
                                    {"head.bias", "lm_head.bias"},
                                    {"head.bias", "lm_head.decoder.bias"},
                                    {"head.transform.weight", "lm_head.dense.weight"},
                                    {"head.transform.bias", "lm_head.dense.bias"},
                                    {"head.norm.weight", "lm_head.layer_norm.weight"},
                                    {"head.norm.bias", "lm_head.layer_norm.bias"}};

constexpr NameRow kDistilLayer[] = {{"query", "attention.q_lin"},
                                    {"key", "attention.k_lin"},
                                    {"value", "attention.v_lin"},
                                    {"attention_output", "attention.out_lin"},
                                    {"attention_norm", "sa_layer_norm"},
                                    {"inner", "ffn.lin1"},
                                    {"output", "ffn.lin2"},
                                    {"output_norm", "output_layer_norm"}};

constexpr NameRow kDistilHead[] = {{"head.dense.weight", "pre_classifier.weight"},
                                   {"head.dense.bias", "pre_classifier.bias"},
                                   {"head.weight", "classifier.weight"},
                                   {"head.weight", "qa_outputs.weight"},
                                   {"head.weight", "vocab_projector.weight"},
                                   {"head.bias", "classifier.bias"},
                                   {"head.bias", "qa_outputs.bias"},
                                   {"head.bias", "vocab_projector.bias"},
                                   {"head.transform.weight", "vocab_transform.weight"},
                                   {"head.transform.bias", "vocab_transform.bias"},
                                   {"head.norm.weight", "vocab_layer_norm.weight"},
                                   {"head.norm.bias", "vocab_layer_norm.bias"}};

constexpr FamilyNames kBertNames{"bert.", kBody, "encoder.layer.", kLayer, {}, kHead};
constexpr FamilyNames kRobertaNames{"roberta.", kRobertaBody, "encoder.layer.", kLayer, {}, kRobertaHead};
constexpr FamilyNames kDistilNames{"distilbert.", kRobertaBody, "transformer.layer.", kDistilLayer, {}, kDistilHead};

// `has_dense`: the map before a classifier's last one is the classifier's, not the model's.
void read_head(ConfigReader& config, bool has_dense) {
    auto& spec = config.spec;
    config.head(HeadKind::none);
    spec.classifier_dense = has_dense;
    spec.classifier_pools = spec.pooler = !has_dense;
    spec.head.dense = has_dense && spec.head.kind == HeadKind::sequence;
    if (spec.head.kind == HeadKind::masked_lm)
        spec.head.tied = config.fields.optional_bool("tie_word_embeddings", true);
    if (config.architecture_ends("ForCausalLM")) config.unsupported("architectures", "ForCausalLM of an encoder");
}

Result<TransformerSpec> read_bert(const json::value& value, std::string_view what, const char* family, bool has_dense) {
    ConfigReader config(value, what, family);
    auto& spec = config.spec;
    spec.vocabulary = config.size("vocab_size", 30522, 1 << 24);
    spec.width = config.size("hidden_size", 768, 1 << 16);
    spec.layers = config.size("num_hidden_layers", 12, 1 << 10);
    spec.heads = config.size("num_attention_heads", 12, 1 << 10);
    spec.inner = config.size("intermediate_size", 3072, 1 << 18);
    spec.positions_max = config.size("max_position_embeddings", 512, 1 << 20);
    spec.types = config.size("type_vocab_size", 2, 1 << 10);
    spec.pad_id = config.count("pad_token_id", 0, 1 << 24);
    config.split_heads("hidden_size", "num_attention_heads");
    spec.norm_eps = config.fields.optional_number("layer_norm_eps", 1e-12, 0, 1);
    spec.hidden_dropout = config.share("hidden_dropout_prob", 0.1);
    spec.attention_dropout = config.share("attention_probs_dropout_prob", 0.1);
    spec.classifier_dropout = config.share("classifier_dropout", spec.hidden_dropout);
    spec.initializer_range = config.fields.optional_number("initializer_range", 0.02, 0, 100);
    const auto positions = config.fields.optional_string("position_embedding_type", "absolute");
    if (positions != "absolute") config.unsupported("position_embedding_type", positions);
    config.activation("hidden_act", config.fields.optional_string("hidden_act", "gelu"), spec.activation);
    config.refuse_true({"is_decoder", "add_cross_attention"});
    read_head(config, has_dense);
    return config.finish();
}

Result<TransformerSpec> bert_spec(const json::value& value, std::string_view what) {
    return read_bert(value, what, bert_family.name, false);
}

Result<TransformerSpec> read_roberta(const json::value& value, std::string_view what, const char* family) {
    ROOTSTOCK_TRY(spec, read_bert(value, what, family, true));
    if (!value.as_object().contains("pad_token_id")) spec.pad_id = 1;
    spec.position_offset = spec.pad_id + 1;
    if (spec.head.kind == HeadKind::masked_lm && spec.activation != Activation::gelu_erf)
        return fail(
            ErrorCode::unsupported,
            std::string(what) + ": a masked language model with hidden_act other than \"gelu\" is not supported",
            "hidden_act");
    if (spec.positions_max <= spec.position_offset)
        return fail(ErrorCode::invalid_argument,
                    std::string(what) + ": max_position_embeddings leaves no position behind pad_token_id",
                    "max_position_embeddings");
    spec.positions_max -= spec.position_offset;
    return spec;
}

Result<TransformerSpec> roberta_spec(const json::value& value, std::string_view what) {
    return read_roberta(value, what, roberta_family.name);
}

Result<TransformerSpec> xlm_roberta_spec(const json::value& value, std::string_view what) {
    return read_roberta(value, what, xlm_roberta_family.name);
}

Result<TransformerSpec> distilbert_spec(const json::value& value, std::string_view what) {
    ConfigReader config(value, what, distilbert_family.name);
    auto& spec = config.spec;
    spec.vocabulary = config.size("vocab_size", 30522, 1 << 24);
    spec.width = config.size("dim", 768, 1 << 16);
    spec.layers = config.size("n_layers", 6, 1 << 10);
    spec.heads = config.size("n_heads", 12, 1 << 10);
    spec.inner = config.size("hidden_dim", 3072, 1 << 18);
    spec.positions_max = config.size("max_position_embeddings", 512, 1 << 20);
    spec.pad_id = config.count("pad_token_id", 0, 1 << 24);
    config.split_heads("dim", "n_heads");
    spec.hidden_dropout = config.share("dropout", 0.1);
    spec.attention_dropout = config.share("attention_dropout", 0.1);
    spec.classifier_dropout = config.share("seq_classif_dropout", 0.2);
    spec.initializer_range = config.fields.optional_number("initializer_range", 0.02, 0, 100);
    config.activation("activation", config.fields.optional_string("activation", "gelu"), spec.activation);
    read_head(config, true);
    spec.pooler_activation = Activation::relu;
    return config.finish();
}

}  // namespace

const Family bert_family{"bert", bert_spec, kBertNames, "bert.", "classifier"};
const Family roberta_family{"roberta", roberta_spec, kRobertaNames, "roberta.", "classifier"};
const Family xlm_roberta_family{"xlm-roberta", xlm_roberta_spec, kRobertaNames, "roberta.", "classifier"};
const Family distilbert_family{"distilbert", distilbert_spec, kDistilNames, "distilbert.", "classifier"};

}  // namespace rootstock
