#include "model/spec/spec.h"

#include <algorithm>

namespace rootstock {

namespace {

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

void add_norm(std::vector<TensorShape>& tensors, const TransformerSpec& spec, const std::string& name) {
    tensors.push_back({name + ".weight", {spec.width}});
    if (spec.norm == NormKind::layer) tensors.push_back({name + ".bias", {spec.width}});
}

using NameOf = std::string (*)(int layer, std::string_view part);

// The maps of one layer, in order of execution.
void add_maps(std::vector<LinearMap>& maps, const TransformerSpec& spec, NameOf name_of, int layer, bool cross) {
    const auto add = [&](const char* kind, int out, int in, bool bias) {
        maps.push_back({name_of(layer, kind), kind, out, in, layer, bias});
    };
    const int queries = spec.query_width(), keys = spec.key_value_width();
    const bool qkv = spec.query_key_value_biases, output = spec.attention_output_biases;
    add("query", queries, spec.width, qkv);
    add("key", keys, spec.width, qkv);
    add("value", keys, spec.width, qkv);
    if (spec.attention_output) add("attention_output", spec.width, queries, output);
    if (cross) {
        add("cross_query", queries, spec.width, qkv);
        add("cross_key", keys, spec.width, qkv);
        add("cross_value", keys, spec.width, qkv);
        add("cross_attention_output", spec.width, queries, output);
    }
    if (spec.mlp == Mlp::gated) add("gate", spec.inner, spec.width, spec.mlp_biases);
    add("inner", spec.inner, spec.width, spec.mlp_biases);
    add("output", spec.width, spec.inner, spec.mlp_biases);
}

// What a stack has besides its maps.
void add_stack(std::vector<TensorShape>& tensors, const TransformerSpec& spec, bool decoder) {
    const std::string before = decoder ? "decoder." : "";
    const NameOf name_of = decoder ? decoder_layer_name : layer_name;
    for (int layer = 0; layer < (decoder ? spec.decoder_layers : spec.layers); ++layer) {
        if (layer > 0 || spec.first_norm) add_norm(tensors, spec, name_of(layer, "attention_norm"));
        if (decoder) add_norm(tensors, spec, name_of(layer, "cross_norm"));
        add_norm(tensors, spec, name_of(layer, "output_norm"));
    }
    if (spec.positions == Positions::relative_buckets)
        tensors.push_back({before + "relative_bias.weight", {spec.relative.buckets, spec.heads}});
    if (spec.final_norm) add_norm(tensors, spec, before + "final_norm");
}

void add_columns(std::vector<TensorShape>& tensors, const TransformerSpec& spec) {
    const auto& columns = spec.columns;
    tensors.push_back({"embed.class.weight", {spec.width}});
    if (columns.numbers > 0) {
        for (const char* part : {"embed.numbers.weight", "embed.numbers.bias"})
            tensors.push_back({part, {columns.numbers, spec.width}});
        if (columns.missing) tensors.push_back({"embed.missing.weight", {columns.numbers, spec.width}});
    }
    for (std::size_t i = 0; i < columns.categories.size(); ++i)
        tensors.push_back({category_table_name(static_cast<int>(i)), {columns.categories[i], spec.width}});
    if (!columns.categories.empty())
        tensors.push_back(
            {"embed.category_bias.weight", {static_cast<std::int64_t>(columns.categories.size()), spec.width}});
}

void add_embeddings(std::vector<TensorShape>& tensors, const TransformerSpec& spec) {
    if (spec.inputs == Inputs::columns) return add_columns(tensors, spec);
    if (spec.inputs == Inputs::patches) {
        tensors.push_back({"embed.patches.weight", {spec.width, spec.patches.numbers()}});
        tensors.push_back({"embed.patches.bias", {spec.width}});
        tensors.push_back({"embed.class.weight", {spec.width}});
        if (spec.patches.distillation) tensors.push_back({"embed.distillation.weight", {spec.width}});
    } else {
        tensors.push_back({"embed.tokens.weight", {spec.vocabulary, spec.width}});
    }
    if (spec.positions == Positions::learned)
        tensors.push_back({"embed.positions.weight", {position_rows(spec), spec.width}});
    if (spec.types > 0) tensors.push_back({"embed.types.weight", {spec.types, spec.width}});
    if (spec.embedding_norm) add_norm(tensors, spec, "embed.norm");
}

}  // namespace

std::string layer_name(int layer, std::string_view part) {
    return "layers." + std::to_string(layer) + "." + std::string(part);
}

std::string decoder_layer_name(int layer, std::string_view part) { return "decoder." + layer_name(layer, part); }

std::string category_table_name(int column) { return "embed.categories." + std::to_string(column) + ".weight"; }

int position_rows(const TransformerSpec& spec) {
    if (spec.inputs == Inputs::patches) return spec.patches.count() + spec.patches.specials();
    return spec.positions_max + spec.position_offset;
}

std::vector<LinearMap> linear_maps(const TransformerSpec& spec) {
    std::vector<LinearMap> maps;
    for (int layer = 0; layer < spec.layers; ++layer) add_maps(maps, spec, layer_name, layer, false);
    for (int layer = 0; layer < spec.decoder_layers; ++layer) add_maps(maps, spec, decoder_layer_name, layer, true);
    if (spec.pooler) maps.push_back({"pooler", "pooler", spec.width, spec.width, -1, true});
    return maps;
}

std::vector<std::string> linear_kinds(const TransformerSpec& spec) {
    std::vector<LinearMap> maps;
    add_maps(maps, spec, layer_name, 0, spec.decoder_layers > 0);
    std::vector<std::string> kinds;
    for (const auto& map : maps) kinds.push_back(map.kind);
    if (spec.pooler) kinds.emplace_back("pooler");
    return kinds;
}

Result<std::vector<LinearMap>> select_linear_maps(const TransformerSpec& spec,
                                                  const std::vector<std::string>& targets) {
    const auto kinds = linear_kinds(spec);
    for (const auto& target : targets)
        if (std::ranges::find(kinds, target) == kinds.end())
            return fail(ErrorCode::invalid_argument,
                        "no linear map of this model is called \"" + target + "\"; choose from " + join(kinds),
                        "targets");
    auto maps = linear_maps(spec);
    if (!targets.empty())
        std::erase_if(maps,
                      [&](const LinearMap& map) { return std::ranges::find(targets, map.kind) == targets.end(); });
    return maps;
}

std::vector<TensorShape> tensors_of(const TransformerSpec& spec) {
    std::vector<TensorShape> tensors;
    add_embeddings(tensors, spec);
    for (const auto& map : linear_maps(spec)) {
        tensors.push_back({map.module + ".weight", {map.out, map.in}});
        if (map.bias) tensors.push_back({map.module + ".bias", {map.out}});
    }
    add_stack(tensors, spec, false);
    if (spec.decoder_layers > 0) add_stack(tensors, spec, true);
    return tensors;
}

std::vector<TensorShape> head_tensors_of(const TransformerSpec& spec) {
    const auto& head = spec.head;
    if (head.kind == HeadKind::none) return {};
    std::vector<TensorShape> tensors;
    const bool words = head.kind == HeadKind::masked_lm || head.kind == HeadKind::causal_lm;
    const int out = words ? spec.vocabulary : head.classes;
    if (head.kind == HeadKind::masked_lm) {
        tensors.push_back({"head.transform.weight", {spec.width, spec.width}});
        tensors.push_back({"head.transform.bias", {spec.width}});
        add_norm(tensors, spec, "head.norm");
    }
    if (head.dense) {
        tensors.push_back({"head.dense.weight", {spec.width, spec.width}});
        tensors.push_back({"head.dense.bias", {spec.width}});
    }
    if (!head.tied) tensors.push_back({"head.weight", {out, spec.width}});
    if (head.bias) tensors.push_back({"head.bias", {out}});
    if (head.distillation) {
        tensors.push_back({"head.distillation.weight", {out, spec.width}});
        tensors.push_back({"head.distillation.bias", {out}});
    }
    return tensors;
}

}  // namespace rootstock
