#include "autograd/executor/transformer.h"

#include "autograd/executor/base_tensors.h"
#include "autograd/ops/relative_bias.h"

namespace rootstock {

namespace {

// A graft on any map of an earlier layer of the same stack, or in front of a decoder.
bool any_before(const GraftPlan& grafts, const TransformerSpec& spec, int layer, bool decoder) {
    for (const auto& map : linear_maps(spec)) {
        bool in_decoder = map.module.starts_with("decoder.");
        bool earlier = map.layer >= 0 && (in_decoder == decoder ? map.layer < layer : decoder);
        if (earlier && grafts.contains(map.module)) return true;
    }
    return false;
}

EmbeddingWeights load_embedding(const Model& model, const Placement& placement) {
    const auto& spec = model.spec;
    auto load = [&](const char* name) { return load_tensor(model, name, placement); };
    EmbeddingWeights weights;
    auto load_any = [&](const char* name) { return model.weights.find(name) ? load(name) : torch::Tensor(); };
    if (spec.inputs == Inputs::columns) {
        weights.class_token = load("embed.class.weight");
        weights.number_weight = load_any("embed.numbers.weight");
        weights.number_bias = load_any("embed.numbers.bias");
        weights.missing = load_any("embed.missing.weight");
        weights.category_bias = load_any("embed.category_bias.weight");
        for (std::size_t i = 0; i < spec.columns.categories.size(); ++i)
            weights.category_tables.push_back(load(category_table_name(static_cast<int>(i)).c_str()));
    } else if (spec.inputs == Inputs::patches) {
        weights.patch_weight = load("embed.patches.weight");
        weights.patch_bias = load("embed.patches.bias");
        weights.class_token = load("embed.class.weight");
        if (spec.patches.distillation) weights.distillation_token = load("embed.distillation.weight");
    } else {
        weights.tokens = load("embed.tokens.weight");
    }
    if (spec.positions == Positions::learned) weights.positions = load("embed.positions.weight");
    if (spec.types > 0) weights.types = load("embed.types.weight");
    if (spec.embedding_norm) weights.norm = load_norm(model, "embed.norm", placement);
    weights.position_offset = spec.position_offset;
    return weights;
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

// ---------------------------------------------------------------------------------------------- one stack

Stack::Stack(const Model& model, const Placement& placement, const Tuning& tuning, bool decoder)
    : spec_(model.spec), decoder_(decoder) {
    const std::string before = decoder ? "decoder." : "";
    auto count = decoder ? spec_.decoder_layers : spec_.layers;
    for (int layer = 0; layer < count; ++layer) {
        Layer::Options options{
            placement,          tuning.grafts,    layer, decoder, any_before(tuning.grafts, spec_, layer, decoder),
            layer + 1 == count, tuning.whole_base};
        layers_.push_back(std::make_unique<Layer>(model, options));
    }
    if (spec_.positions == Positions::relative_buckets)
        relative_bias_ = load_tensor(model, before + "relative_bias.weight", placement);
    if (spec_.final_norm) final_norm_ = load_norm(model, before + "final_norm", placement);
}

void Stack::bind(const Parameters& parameters) {
    const std::string before = decoder_ ? "decoder." : "";
    for (auto& layer : layers_) layer->bind(parameters);
    rebind(relative_bias_, before + "relative_bias.weight", parameters);
    rebind(final_norm_, before + "final_norm", parameters);
}

Pass Stack::pass(const StagedBatch& batch, const Dropout& dropout) const {
    Pass pass{batch, dropout, rotary_angles(spec_, batch), {}, {}, nullptr};
    bool both_ways = !decoder_ && spec_.attention == AttentionDirection::both_ways;
    if (relative_bias_.defined())
        pass.biases = relative_biases(relative_bias_, batch.all_rows, spec_.relative, both_ways);
    return pass;
}

torch::Tensor Stack::run(torch::Tensor x, const Pass& pass, std::size_t depth) {
    for (std::size_t layer = 0; layer < depth; ++layer)
        x = layers_[layer]->forward(x, pass, layer + 1 < layers_.size() ? layers_[layer + 1]->input_slack() : 0);
    return x;
}

torch::Tensor Stack::final_norm(const torch::Tensor& x) const {
    return final_norm_.defined() ? apply_norm(x, final_norm_) : x;
}

std::vector<AdaptedLinear*> Stack::linears() {
    std::vector<AdaptedLinear*> all;
    for (auto& layer : layers_)
        for (auto* linear : layer->linears()) all.push_back(linear);
    return all;
}

// ---------------------------------------------------------------------------------------------- the whole model

Result<std::unique_ptr<Transformer>> Transformer::load(const Model& model, const Placement& placement,
                                                       const Tuning& tuning) {
    return std::unique_ptr<Transformer>(new Transformer(model, placement, tuning));
}

Transformer::Transformer(const Model& model, const Placement& placement, const Tuning& tuning)
    : spec_(model.spec),
      placement_(placement),
      embedding_(load_embedding(model, placement)),
      stack_(model, placement, tuning, false) {
    if (spec_.decoder_layers > 0) decoder_ = std::make_unique<Stack>(model, placement, tuning, true);
}

void Transformer::bind(const Parameters& parameters) {
    rebind(embedding_.tokens, "embed.tokens.weight", parameters);
    rebind(embedding_.positions, "embed.positions.weight", parameters);
    rebind(embedding_.types, "embed.types.weight", parameters);
    rebind(embedding_.patch_weight, "embed.patches.weight", parameters);
    rebind(embedding_.patch_bias, "embed.patches.bias", parameters);
    rebind(embedding_.class_token, "embed.class.weight", parameters);
    rebind(embedding_.distillation_token, "embed.distillation.weight", parameters);
    rebind(embedding_.number_weight, "embed.numbers.weight", parameters);
    rebind(embedding_.number_bias, "embed.numbers.bias", parameters);
    rebind(embedding_.missing, "embed.missing.weight", parameters);
    rebind(embedding_.category_bias, "embed.category_bias.weight", parameters);
    for (std::size_t i = 0; i < embedding_.category_tables.size(); ++i)
        rebind(embedding_.category_tables[i], category_table_name(static_cast<int>(i)), parameters);
    rebind(embedding_.norm, "embed.norm", parameters);
    stack_.bind(parameters);
    if (decoder_) decoder_->bind(parameters);
}

torch::Tensor Transformer::embedded(const StagedBatch& batch, std::int64_t slack) {
    return embed(embedding_, batch, placement_, slack);
}

torch::Tensor Transformer::encoded(const StagedBatch& batch, const Dropout& dropout) {
    auto pass = stack_.pass(batch, dropout);
    return stack_.final_norm(stack_.run(embedded(batch, stack_.input_slack()), pass, stack_.depth()));
}

torch::Tensor Transformer::decoded(const StagedBatch& batch, const Dropout& dropout, std::size_t depth) {
    auto pass = decoder_->pass(*batch.decoder, dropout);
    pass.memory = encoded(batch, dropout);
    pass.memory_rows = &batch.cross_rows;
    return decoder_->run(embedded(*batch.decoder, decoder_->input_slack()), pass, depth);
}

torch::Tensor Transformer::hidden(const StagedBatch& batch, const Dropout& dropout) {
    if (decoder_) return decoder_->final_norm(decoded(batch, dropout, decoder_->depth()));
    return encoded(batch, dropout).narrow(0, 0, batch.tokens);
}

torch::Tensor Transformer::hidden_at(const StagedBatch& batch, int depth) {
    Dropout none;
    auto pass = stack_.pass(batch, none);
    auto x = stack_.run(embedded(batch, stack_.input_slack()), pass, static_cast<std::size_t>(depth));
    return x.narrow(0, 0, batch.tokens);
}

torch::Tensor Transformer::decoder_hidden_at(const StagedBatch& batch, int depth) {
    ROOTSTOCK_CHECK(decoder_, "the model has a decoder");
    return decoded(batch, {}, static_cast<std::size_t>(depth));
}

// A picked token that sees its whole row needs no mask and no distances.
bool Transformer::picks_cheaply() const {
    if (decoder_ || spec_.positions == Positions::relative_buckets) return false;
    bool causal = spec_.attention == AttentionDirection::causal;
    return causal ? spec_.pooling == Pooling::last && spec_.window == 0 : true;
}

torch::Tensor Transformer::picked_states(const StagedBatch& batch, const Dropout& dropout, std::int64_t slack) {
    if (!picks_cheaply()) {
        const auto& read = decoder_ ? *batch.decoder : batch;
        return hidden(batch, dropout).index_select(0, read.picked);
    }
    auto pass = stack_.pass(batch, dropout);
    auto x = stack_.run(embedded(batch, stack_.input_slack()), pass, stack_.depth() - 1);
    return stack_.final_norm(stack_.last().forward_picked(x, pass, slack));
}

torch::Tensor Transformer::embeddings(const StagedBatch& batch) {
    auto states = encoded(batch, {}).narrow(0, 0, batch.tokens).to(torch::kFloat32);
    auto sums = torch::zeros({batch.rows, spec_.width}, states.options()).index_add(0, batch.row_of, states);
    auto means = sums / batch.lengths.view({-1, 1});
    return means / means.norm(2, {1}, true).clamp_min(1e-12);
}

std::vector<AdaptedLinear*> Transformer::linears() {
    auto all = stack_.linears();
    if (decoder_)
        for (auto* linear : decoder_->linears()) all.push_back(linear);
    return all;
}

}  // namespace rootstock
