// FT-Transformer (Gorishniy et al., 2021) as the authors' package spells it (rtdl_revisiting_models): config.json holds
// the arguments of its FTTransformer, model.safetensors its state_dict. Norms before, none in front of the first
// attention; ReGLU or ReLU; ReLU between the final norm and the head. With one head the map behind attention is left
// out. Ours alone is missing_embeddings: where a number is missing a vector of its
// column, cont_embeddings.missing, is added.

#include <algorithm>

#include "model/families/family.h"
#include "model/families/read_config.h"

namespace rootstock {

namespace {

constexpr NameRow kBody[] = {{"embed.numbers", "cont_embeddings"}, {"final_norm", "backbone.output.normalization"}};

constexpr NameRow kLayer[] = {{"attention_norm", "attention_normalization"},
                              {"query", "attention.W_q"},
                              {"key", "attention.W_k"},
                              {"value", "attention.W_v"},
                              {"attention_output", "attention.W_out"},
                              {"output_norm", "ffn_normalization"},
                              {"inner", "ffn.linear1"},
                              {"gate", "ffn.linear1"},
                              {"output", "ffn.linear2"}};

constexpr NameRow kTensors[] = {{"embed.class.weight", "cls_embedding.weight"},
                                {"embed.missing.weight", "cont_embeddings.missing"},
                                {"embed.category_bias.weight", "cat_embeddings.bias"}};

constexpr NameRow kHead[] = {{"head.weight", "backbone.output.linear.weight"},
                             {"head.bias", "backbone.output.linear.bias"}};

constexpr FamilyNames kNames{"", kBody, "backbone.blocks.",          kLayer, kTensors, kHead,
                             {}, {},    "cat_embeddings.embeddings."};

// ReGLU's two maps are one in files: the halves a and b of a * relu(b).
TensorForm gated_form(std::string_view canonical) {
    const auto is = [&](std::string_view kind) {
        return canonical.ends_with("." + std::string(kind) + ".weight") ||
               canonical.ends_with("." + std::string(kind) + ".bias");
    };
    if (is("inner")) return {false, 0, 2};
    if (is("gate")) return {false, 1, 2};
    return {};
}

void read_columns(ConfigReader& config) {
    constexpr std::size_t columns_max = 4096 * 5;  // a date is five numbers (data/table)
    constexpr int ids_max = 1 << 24;
    auto& columns = config.spec.columns;
    columns.numbers = config.count("n_cont_features", 0, static_cast<int>(columns_max));
    columns.missing = columns.numbers > 0 && config.fields.optional_bool("missing_embeddings", false);
    const auto wrong = [&] {
        columns.categories.clear();
        config.fields.fault("cat_cardinalities", "must be a list of numbers from 1 to 16777216, one for each column");
    };
    if (const auto* value = config.fields.optional_value("cat_cardinalities"); value && !value->is_null()) {
        if (!value->is_array() || value->as_array().size() > columns_max) return wrong();
        for (const auto& ids : value->as_array()) {
            if (!ids.is_int64() || ids.as_int64() < 1 || ids.as_int64() > ids_max) return wrong();
            columns.categories.push_back(static_cast<int>(ids.as_int64()));
        }
    }
    if (columns.count() == 0) config.fields.fault("n_cont_features", "or cat_cardinalities must name a column");
    config.spec.inputs = Inputs::columns;
    config.spec.positions = Positions::none;
    config.spec.positions_max = columns.tokens();
}

void read_mlp(ConfigReader& config) {
    auto& spec = config.spec;
    const double multiplier = config.fields.optional_number("ffn_d_hidden_multiplier", 4.0 / 3, 0, 1024);
    constexpr int inner_max = 1 << 18;
    const int computed = std::max(1, static_cast<int>(spec.width * multiplier));
    spec.inner = config.size("ffn_d_hidden", std::min(computed, inner_max), inner_max);
    if (computed > inner_max) config.fields.fault("ffn_d_hidden_multiplier", "makes more than 262144 numbers");
    spec.activation = Activation::relu;
    const auto word = config.fields.optional_string("ffn_activation", "ReGLU");
    spec.mlp = word == "ReGLU" ? Mlp::gated : Mlp::plain;
    if (word != "ReGLU" && word != "ReLU") config.unsupported("ffn_activation", word);
}

void read_head(ConfigReader& config) {
    auto& spec = config.spec;
    spec.head.classes = config.count("d_out", 0, 1 << 20);
    spec.final_norm = spec.head.classes > 0;
    if (spec.head.classes == 0) return;
    spec.head.kind = HeadKind::sequence;
    spec.head.relu = true;
}

Result<TransformerSpec> table_spec(const json::value& value, std::string_view what) {
    ConfigReader config(value, what, table_family.name);
    auto& spec = config.spec;
    spec.width = config.size("d_block", 192, 1 << 16);
    spec.layers = config.size("n_blocks", 3, 1 << 10);
    spec.heads = config.size("attention_n_heads", 8, 1 << 10);
    config.split_heads("d_block", "attention_n_heads");
    spec.attention_output = spec.heads > 1;
    read_columns(config);
    read_mlp(config);
    read_head(config);
    spec.norm_place = NormPlace::before;
    spec.embedding_norm = spec.first_norm = false;
    spec.norm_eps = 1e-5;
    spec.attention_dropout = config.share("attention_dropout", 0);
    spec.inner_dropout = config.share("ffn_dropout", 0);
    spec.hidden_dropout = config.share("residual_dropout", 0);
    if (const auto* ratio = config.fields.optional_value("linformer_kv_compression_ratio"); ratio && !ratio->is_null())
        config.unsupported("linformer_kv_compression_ratio", json::serialize(*ratio));
    return config.finish();
}

const Family plain_family{"ft-transformer", table_spec, kNames, "", "backbone.output.linear"};

}  // namespace

const Family table_family{"ft-transformer",         table_spec, kNames,       "",
                          "backbone.output.linear", gated_form, &plain_family};

}  // namespace rootstock
