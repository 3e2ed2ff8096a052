#include "autograd/executor/encoder.h"

#include "autograd/ops/frozen_weights.h"

namespace rootstock {

namespace {

Result<void> check_supported(const TransformerSpec& spec) {
    std::string missing;
    if (spec.norm != NormKind::layer) missing = "RMS norm";
    if (spec.norm_place != NormPlace::after) missing = "norm before the sub-layer";
    if (spec.positions != Positions::learned) missing = "positions other than learned ones";
    if (spec.attention != AttentionDirection::both_ways) missing = "causal attention";
    if (spec.activation != Activation::gelu_erf) missing = "an activation other than GELU";
    if (spec.mlp != Mlp::plain) missing = "a gated MLP";
    if (spec.key_value_heads != spec.heads) missing = "heads that share keys and values";
    if (missing.empty()) return {};
    return fail(ErrorCode::unsupported,
                "this model cannot be tuned here yet: it has " + missing + "; choose a BERT encoder");
}

bool any_before(const GraftPlan& grafts, const TransformerSpec& spec, int layer) {
    for (const auto& map : linear_maps(spec))
        if (map.layer >= 0 && map.layer < layer && grafts.contains(map.module)) return true;
    return false;
}

}  // namespace

Result<GraftPlan> plan_grafts(const TransformerSpec& spec, const LoraSettings& settings) {
    ROOTSTOCK_TRY(maps, select_linear_maps(spec, settings.targets));
    GraftPlan plan;
    for (const auto& map : maps) plan[map.module] = {settings.rank, lora_scale(settings, settings.rank)};
    return plan;
}

GraftPlan plan_grafts(const Adapter& adapter) {
    GraftPlan plan;
    for (const auto& [module, pair] : adapter.pairs) plan[module] = {pair.rank, pair.scale};
    return plan;
}

Result<std::unique_ptr<Encoder>> Encoder::load(const Model& model, const Placement& placement,
                                               const GraftPlan& grafts) {
    ROOTSTOCK_CHECKED(check_supported(model.spec));
    return std::unique_ptr<Encoder>(new Encoder(model, placement, grafts));
}

Encoder::Encoder(const Model& model, const Placement& placement, const GraftPlan& grafts)
    : spec_(model.spec), placement_(placement) {
    auto table = [&](const char* name) { return host_view(model.weights.at(name)).to(placement.device); };
    embedding_ = {table("embed.tokens.weight"), table("embed.positions.weight"),
                  spec_.types > 0 ? table("embed.types.weight") : torch::Tensor(),
                  load_norm(model, "embed.norm", placement)};
    for (int layer = 0; layer < spec_.layers; ++layer) {
        EncoderLayer::Options options{placement, grafts, layer, any_before(grafts, spec_, layer),
                                      layer + 1 == spec_.layers};
        layers_.push_back(std::make_unique<EncoderLayer>(model, options));
    }
}

torch::Tensor Encoder::run(const StagedBatch& batch, const Dropout& dropout, std::size_t layers) {
    auto slack_at = [&](std::size_t layer) { return layer < layers_.size() ? layers_[layer]->input_slack() : 0; };
    auto x = embed(embedding_, batch, placement_, slack_at(0));
    for (std::size_t layer = 0; layer < layers; ++layer)
        x = layers_[layer]->forward(x, batch, dropout, slack_at(layer + 1));
    return x;
}

torch::Tensor Encoder::hidden(const StagedBatch& batch, const Dropout& dropout) {
    return run(batch, dropout, layers_.size()).narrow(0, 0, batch.tokens);
}

torch::Tensor Encoder::hidden_at(const StagedBatch& batch, int depth) {
    return run(batch, {}, static_cast<std::size_t>(depth)).narrow(0, 0, batch.tokens);
}

torch::Tensor Encoder::first_states(const StagedBatch& batch, const Dropout& dropout, std::int64_t slack) {
    auto x = run(batch, dropout, layers_.size() - 1);
    return layers_.back()->forward_first(x, batch, dropout, slack);
}

torch::Tensor Encoder::embeddings(const StagedBatch& batch) {
    auto states = hidden(batch).to(torch::kFloat32);
    auto sums = torch::zeros({batch.rows, spec_.width}, states.options()).index_add(0, batch.row_of, states);
    auto means = sums / batch.lengths.view({-1, 1});
    return means / means.norm(2, {1}, true).clamp_min(1e-12);
}

std::vector<AdaptedLinear*> Encoder::linears() {
    std::vector<AdaptedLinear*> all;
    for (auto& layer : layers_)
        for (auto* linear : layer->linears()) all.push_back(linear);
    return all;
}

}  // namespace rootstock
