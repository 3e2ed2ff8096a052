#include "model/spec/spec.h"

#include <algorithm>

namespace rootstock {

namespace {

struct MapKind {
    const char* kind;
    bool from_inner;  // reads the MLP's inner width
    bool to_inner;
};

constexpr MapKind kLayerMaps[] = {{"query", false, false}, {"key", false, false},
                                  {"value", false, false}, {"attention_output", false, false},
                                  {"inner", false, true},  {"output", true, false}};

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

void add_norm(std::vector<TensorShape>& tensors, const TransformerSpec& spec, const std::string& name) {
    tensors.push_back({name + ".weight", {spec.width}});
    if (spec.norm == NormKind::layer) tensors.push_back({name + ".bias", {spec.width}});
}

}  // namespace

std::string layer_name(int layer, std::string_view part) {
    return "layers." + std::to_string(layer) + "." + std::string(part);
}

std::vector<LinearMap> linear_maps(const TransformerSpec& spec) {
    std::vector<LinearMap> maps;
    for (int layer = 0; layer < spec.layers; ++layer)
        for (const auto& map : kLayerMaps)
            maps.push_back({layer_name(layer, map.kind), map.kind, map.to_inner ? spec.inner : spec.width,
                            map.from_inner ? spec.inner : spec.width, layer});
    if (spec.pooler) maps.push_back({"pooler", "pooler", spec.width, spec.width, -1});
    return maps;
}

std::vector<std::string> linear_kinds(const TransformerSpec& spec) {
    std::vector<std::string> kinds;
    for (const auto& map : kLayerMaps) kinds.emplace_back(map.kind);
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
    std::vector<TensorShape> tensors{{"embed.tokens.weight", {spec.vocabulary, spec.width}}};
    if (spec.positions == Positions::learned)
        tensors.push_back({"embed.positions.weight", {spec.positions_max, spec.width}});
    if (spec.types > 0) tensors.push_back({"embed.types.weight", {spec.types, spec.width}});
    add_norm(tensors, spec, "embed.norm");
    for (const auto& map : linear_maps(spec)) {
        tensors.push_back({map.module + ".weight", {map.out, map.in}});
        if (spec.biases) tensors.push_back({map.module + ".bias", {map.out}});
    }
    for (int layer = 0; layer < spec.layers; ++layer) {
        add_norm(tensors, spec, layer_name(layer, "attention_norm"));
        add_norm(tensors, spec, layer_name(layer, "output_norm"));
    }
    return tensors;
}

}  // namespace rootstock
