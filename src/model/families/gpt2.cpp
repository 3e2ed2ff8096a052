// GPT-2 (Radford et al., 2019) as transformers spells it: norms before, learned positions. Its maps are convolutions of
// width one, so files hold them transposed, and query, key and value as one.

#include "model/families/family.h"
#include "model/families/read_config.h"

namespace rootstock {

namespace {

constexpr NameRow kBody[] = {{"embed.tokens", "wte"}, {"embed.positions", "wpe"}, {"final_norm", "ln_f"}};

constexpr NameRow kLayer[] = {{"attention_norm", "ln_1"}, {"output_norm", "ln_2"},  {"query", "attn.c_attn"},
                              {"key", "attn.c_attn"},     {"value", "attn.c_attn"}, {"attention_output", "attn.c_proj"},
                              {"inner", "mlp.c_fc"},      {"output", "mlp.c_proj"}};

constexpr NameRow kHead[] = {{"head.weight", "score.weight"},      {"head.weight", "classifier.weight"},
                             {"head.weight", "qa_outputs.weight"}, {"head.weight", "lm_head.weight"},
                             {"head.bias", "classifier.bias"},     {"head.bias", "qa_outputs.bias"}};

constexpr FamilyNames kNames{"transformer.", kBody, "h.", kLayer, {}, kHead};

TensorForm form(std::string_view canonical) {
    if (!canonical.starts_with("layers.") || canonical.find("_norm.") != std::string_view::npos) return {};
    const auto is = [&](std::string_view kind) { return canonical.find(kind) != std::string_view::npos; };
    TensorForm form{canonical.ends_with(".weight"), 0, 1};
    if (is(".query.") || is(".key.") || is(".value."))
        form.parts = 3, form.part = is(".key.") ? 1 : is(".value.") ? 2 : 0;
    return form;
}

void read_head(ConfigReader& config) {
    auto& head = config.spec.head;
    config.head(HeadKind::causal_lm);
    if (config.architecture_ends("DoubleHeadsModel")) head.kind = HeadKind::causal_lm;
    head.bias = head.kind == HeadKind::token || head.kind == HeadKind::span;
    head.tied = head.kind == HeadKind::causal_lm && config.fields.optional_bool("tie_word_embeddings", true);
    config.spec.pooling = Pooling::last;
}

Result<TransformerSpec> spec(const json::value& value, std::string_view what) {
    ConfigReader config(value, what, gpt2_family.name);
    auto& spec = config.spec;
    spec.vocabulary = config.size("vocab_size", 50257, 1 << 24);
    spec.width = config.size("n_embd", 768, 1 << 16);
    spec.layers = config.size("n_layer", 12, 1 << 10);
    spec.heads = config.size("n_head", 12, 1 << 10);
    spec.inner = config.size("n_inner", 4 * spec.width, 1 << 18);
    spec.positions_max = config.size("n_positions", 1024, 1 << 20);
    if (!config.fields.optional_bool("scale_attn_weights", true)) spec.score_scale = 1;
    config.split_heads("n_embd", "n_head");
    spec.norm_place = NormPlace::before;
    spec.embedding_norm = false;
    spec.final_norm = true;
    spec.attention = AttentionDirection::causal;
    spec.norm_eps = config.fields.optional_number("layer_norm_epsilon", 1e-5, 0, 1);
    spec.hidden_dropout = config.share("resid_pdrop", 0.1);
    spec.attention_dropout = config.share("attn_pdrop", 0.1);
    spec.initializer_range = config.fields.optional_number("initializer_range", 0.02, 0, 100);
    spec.pad_id = config.count("pad_token_id", 0, 1 << 24);
    config.activation("activation_function", config.fields.optional_string("activation_function", "gelu_new"),
                      spec.activation);
    config.refuse_true({"scale_attn_by_inverse_layer_idx", "add_cross_attention"});
    config.end_ids(50256);
    read_head(config);
    return config.finish();
}

}  // namespace

const Family gpt2_family{"gpt2", spec, kNames, "transformer.", "score", form};

}  // namespace rootstock
