// BERT (Devlin et al., 2018) as transformers' BertModel spells it: post-norm, learned positions, token types, GELU.

#include <array>
#include <utility>

#include "model/families/family.h"

namespace rootstock {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 5> kOutside{{{"embed.tokens", "embeddings.word_embeddings"},
                                        {"embed.positions", "embeddings.position_embeddings"},
                                        {"embed.types", "embeddings.token_type_embeddings"},
                                        {"embed.norm", "embeddings.LayerNorm"},
                                        {"pooler", "pooler.dense"}}};

constexpr std::array<Pair, 8> kInside{{{"query", "attention.self.query"},
                                       {"key", "attention.self.key"},
                                       {"value", "attention.self.value"},
                                       {"attention_output", "attention.output.dense"},
                                       {"attention_norm", "attention.output.LayerNorm"},
                                       {"inner", "intermediate.dense"},
                                       {"output", "output.dense"},
                                       {"output_norm", "output.LayerNorm"}}};

template <std::size_t N>
std::string_view look_up(const std::array<Pair, N>& names, std::string_view canonical) {
    for (const auto& [ours, theirs] : names)
        if (ours == canonical) return theirs;
    ROOTSTOCK_CHECK(false, "every canonical name has its place in the family's table");
}

// "layers.3.query" -> "encoder.layer.3.attention.self.query"
std::string bare_path(std::string_view module) {
    constexpr std::string_view kLayers = "layers.";
    if (!module.starts_with(kLayers)) return std::string(look_up(kOutside, module));
    const auto rest = module.substr(kLayers.size());
    const auto dot = rest.find('.');
    ROOTSTOCK_CHECK(dot != std::string_view::npos, "a layer's module has a number and a name");
    return "encoder.layer." + std::string(rest.substr(0, dot)) + "." +
           std::string(look_up(kInside, rest.substr(dot + 1)));
}

std::string module_path(std::string_view module) { return "bert." + bare_path(module); }

std::vector<std::string> tensor_names(std::string_view canonical) {
    const auto dot = canonical.rfind('.');
    const auto module = canonical.substr(0, dot), part = canonical.substr(dot + 1);
    const auto path = bare_path(module) + ".";
    std::vector<std::string> names{path + std::string(part), "bert." + path + std::string(part)};
    if (path.ends_with("LayerNorm.")) {  // files of the first releases
        const std::string old = part == "weight" ? "gamma" : "beta";
        names.insert(names.end(), {path + old, "bert." + path + old});
    }
    return names;
}

void read_sizes(JsonFields& fields, TransformerSpec& spec) {
    spec.vocabulary = static_cast<int>(fields.optional_int("vocab_size", 30522, 1, 1 << 24));
    spec.width = static_cast<int>(fields.optional_int("hidden_size", 768, 1, 1 << 16));
    spec.layers = static_cast<int>(fields.optional_int("num_hidden_layers", 12, 1, 1 << 10));
    spec.heads = static_cast<int>(fields.optional_int("num_attention_heads", 12, 1, 1 << 10));
    spec.inner = static_cast<int>(fields.optional_int("intermediate_size", 3072, 1, 1 << 18));
    spec.positions_max = static_cast<int>(fields.optional_int("max_position_embeddings", 512, 1, 1 << 20));
    spec.types = static_cast<int>(fields.optional_int("type_vocab_size", 2, 1, 1 << 10));
    spec.pad_id = static_cast<int>(fields.optional_int("pad_token_id", 0, 0, 1 << 24));
    if (spec.width % spec.heads != 0) fields.fault("hidden_size", "must be a multiple of num_attention_heads");
    spec.key_value_heads = spec.heads;
    spec.head_width = spec.width / spec.heads;
}

void read_numbers(JsonFields& fields, TransformerSpec& spec) {
    spec.norm_eps = fields.optional_number("layer_norm_eps", 1e-12, 0, 1);
    spec.hidden_dropout = fields.optional_number("hidden_dropout_prob", 0.1, 0, 0.999);
    spec.attention_dropout = fields.optional_number("attention_probs_dropout_prob", 0.1, 0, 0.999);
    spec.classifier_dropout = fields.optional_number("classifier_dropout", spec.hidden_dropout, 0, 0.999);
    spec.initializer_range = fields.optional_number("initializer_range", 0.02, 0, 100);
}

Result<void> read_kinds(JsonFields& fields, TransformerSpec& spec, std::string_view what) {
    const auto refuse = [&](const char* field, const std::string& value) {
        return fail(ErrorCode::unsupported, std::string(what) + ": " + field + " \"" + value + "\" is not supported",
                    field);
    };
    const auto positions = fields.optional_string("position_embedding_type", "absolute");
    if (positions != "absolute") return refuse("position_embedding_type", positions);
    const auto act = fields.optional_string("hidden_act", "gelu");
    if (act == "gelu")
        spec.activation = Activation::gelu_erf;
    else if (act == "gelu_new" || act == "gelu_pytorch_tanh")
        spec.activation = Activation::gelu_tanh;
    else if (act == "relu")
        spec.activation = Activation::relu;
    else
        return refuse("hidden_act", act);
    for (const char* field : {"is_decoder", "add_cross_attention"})
        if (fields.optional_bool(field, false)) return refuse(field, "true");
    return {};
}

Result<TransformerSpec> spec(const json::value& config, std::string_view what) {
    JsonFields fields(config, what);
    fields.ignore_others();
    TransformerSpec spec;
    spec.family = bert_family.name;
    spec.pooler = true;
    read_sizes(fields, spec);
    read_numbers(fields, spec);
    const auto kinds = read_kinds(fields, spec, what);
    ROOTSTOCK_CHECKED(fields.finish());  // a field of the wrong type is the better sentence
    ROOTSTOCK_CHECKED(kinds);
    return spec;
}

}  // namespace

const Family bert_family{"bert", spec, tensor_names, module_path, "bert.", "classifier"};

}  // namespace rootstock
