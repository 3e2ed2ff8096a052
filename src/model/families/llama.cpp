// Llama (Touvron et al., 2023) and its kin as transformers spells them: RMS norms before, rotary positions, grouped
// keys and values, gated MLP. Qwen2 has biases on query, key and value; Mistral a sliding window; SmolLM2 is Llama.

#include "model/families/family.h"
#include "model/families/read_config.h"

namespace rootstock {

namespace {

constexpr NameRow kBody[] = {{"embed.tokens", "embed_tokens"}, {"final_norm", "norm"}};

constexpr NameRow kLayer[] = {{"attention_norm", "input_layernorm"},
                              {"output_norm", "post_attention_layernorm"},
                              {"query", "self_attn.q_proj"},
                              {"key", "self_attn.k_proj"},
                              {"value", "self_attn.v_proj"},
                              {"attention_output", "self_attn.o_proj"},
                              {"gate", "mlp.gate_proj"},
                              {"inner", "mlp.up_proj"},
                              {"output", "mlp.down_proj"}};

constexpr NameRow kHead[] = {{"head.weight", "score.weight"},
                             {"head.weight", "lm_head.weight"},
                             {"head.weight", "qa_outputs.weight"},
                             {"head.bias", "score.bias"},
                             {"head.bias", "qa_outputs.bias"}};

constexpr FamilyNames kNames{"model.", kBody, "layers.", kLayer, {}, kHead};

struct Habits {  // where the kin differ when config.json is silent
    const char* family;
    int vocabulary, width, inner, layers, heads, key_value_heads, positions;
    double theta;
};

void read_head(ConfigReader& config) {
    auto& head = config.spec.head;
    config.head(HeadKind::causal_lm);
    head.bias = head.kind == HeadKind::token || head.kind == HeadKind::span;
    const bool tied = config.fields.optional_bool("tie_word_embeddings", false);
    head.tied = head.kind == HeadKind::causal_lm && tied;
    config.spec.pooling = Pooling::last;
}

void read_sizes(ConfigReader& config, const Habits& habits) {
    auto& spec = config.spec;
    spec.vocabulary = config.size("vocab_size", habits.vocabulary, 1 << 24);
    spec.width = config.size("hidden_size", habits.width, 1 << 16);
    spec.inner = config.size("intermediate_size", habits.inner, 1 << 18);
    spec.layers = config.size("num_hidden_layers", habits.layers, 1 << 10);
    spec.heads = config.size("num_attention_heads", habits.heads, 1 << 10);
    const int groups = habits.key_value_heads > 0 ? habits.key_value_heads : spec.heads;
    spec.key_value_heads = config.size("num_key_value_heads", groups, 1 << 10);
    spec.head_width = config.count("head_dim", 0, 1 << 12);
    config.split_heads("hidden_size", "num_attention_heads");
}

void read_llama(ConfigReader& config, const Habits& habits) {
    auto& spec = config.spec;
    read_sizes(config, habits);
    config.rotary(habits.theta, config.size("max_position_embeddings", habits.positions, 1 << 24));
    spec.norm = NormKind::rms;
    spec.norm_place = NormPlace::before;
    spec.embedding_norm = false;
    spec.final_norm = true;
    spec.attention = AttentionDirection::causal;
    spec.mlp = Mlp::gated;
    spec.query_key_value_biases = spec.attention_output_biases = spec.mlp_biases = false;
    spec.norm_eps = config.fields.optional_number("rms_norm_eps", 1e-6, 0, 1);
    spec.attention_dropout = config.share("attention_dropout", 0);
    spec.initializer_range = config.fields.optional_number("initializer_range", 0.02, 0, 100);
    spec.pad_id = config.count("pad_token_id", 0, 1 << 24);
    config.activation("hidden_act", config.fields.optional_string("hidden_act", "silu"), spec.activation);
    config.end_ids(2);
    read_head(config);
}

Result<TransformerSpec> llama_spec(const json::value& value, std::string_view what) {
    const Habits habits{llama_family.name, 32000, 4096, 11008, 32, 32, 0, 2048, 10000};
    ConfigReader config(value, what, habits.family);
    read_llama(config, habits);
    auto& spec = config.spec;
    spec.query_key_value_biases = spec.attention_output_biases = config.fields.optional_bool("attention_bias", false);
    spec.mlp_biases = config.fields.optional_bool("mlp_bias", false);
    return config.finish();
}

Result<TransformerSpec> mistral_spec(const json::value& value, std::string_view what) {
    const Habits habits{mistral_family.name, 32000, 4096, 14336, 32, 32, 8, 131072, 10000};
    ConfigReader config(value, what, habits.family);
    read_llama(config, habits);
    const bool silent = !value.is_object() || !value.as_object().contains("sliding_window");
    config.spec.window = config.count("sliding_window", silent ? 4096 : 0, 1 << 24);
    return config.finish();
}

// layer_types of newer files must say what max_window_layers says; a pattern of its own is refused.
void check_layer_types(ConfigReader& config) {
    const auto* types = config.fields.optional_value("layer_types");
    if (!types || !types->is_array()) return;
    const auto& spec = config.spec;
    int layer = 0;
    for (const auto& type : types->as_array()) {
        const bool window = spec.window > 0 && layer >= spec.window_first_layer;
        if (!type.is_string() || type.as_string() != (window ? "sliding_attention" : "full_attention"))
            return config.unsupported("layer_types", "other than full below max_window_layers, sliding from there");
        ++layer;
    }
}

// From layer max_window_layers on the window holds, where use_sliding_window says so.
Result<TransformerSpec> qwen2_spec(const json::value& value, std::string_view what) {
    const Habits habits{qwen2_family.name, 151936, 4096, 22016, 32, 32, 32, 32768, 10000};
    ConfigReader config(value, what, habits.family);
    read_llama(config, habits);
    auto& spec = config.spec;
    spec.query_key_value_biases = true;
    const int window = config.count("sliding_window", 4096, 1 << 24);
    const int first = config.count("max_window_layers", 28, 1 << 10);
    if (config.fields.optional_bool("use_sliding_window", false)) spec.window = window, spec.window_first_layer = first;
    check_layer_types(config);
    return config.finish();
}

}  // namespace

const Family llama_family{"llama", llama_spec, kNames, "model.", "score"};
const Family mistral_family{"mistral", mistral_spec, kNames, "model.", "score"};
const Family qwen2_family{"qwen2", qwen2_spec, kNames, "model.", "score"};

}  // namespace rootstock
