#include "autograd/executor/encoder_layer.h"

#include "autograd/ops/frozen_weights.h"

namespace rootstock {

Norm load_norm(const Model& model, const std::string& name, const Placement& placement) {
    return {host_view(model.weights.at(name + ".weight")).to(placement.device),
            host_view(model.weights.at(name + ".bias")).to(placement.device), model.spec.norm_eps};
}

namespace {

// A layer's maps of these kinds as one AdaptedLinear. Inside a layer the gradient also has to pass maps that follow
// grafts of the same layer, so `differentiable` is worked out by the caller.
AdaptedLinear make_linear(const Model& model, const EncoderLayer::Options& options, std::vector<std::string> kinds,
                          bool differentiable) {
    std::vector<LinearMap> maps;
    std::uint64_t site = 0;
    auto all = linear_maps(model.spec);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].layer != options.layer) continue;
        if (std::find(kinds.begin(), kinds.end(), all[i].kind) == kinds.end()) continue;
        maps.push_back(all[i]);
        site = i;
    }
    return AdaptedLinear(model, std::move(maps), {options.placement, options.grafts, site, differentiable});
}

std::vector<AdaptedLinear> make_inputs(const Model& model, const EncoderLayer::Options& options) {
    std::vector<AdaptedLinear> inputs;
    std::vector<std::vector<std::string>> shares{{"query", "key", "value"}};
    if (options.queries_apart) shares = {{"query"}, {"key", "value"}};
    for (auto& kinds : shares) inputs.push_back(make_linear(model, options, kinds, options.differentiable_input));
    return inputs;
}

}  // namespace

EncoderLayer::EncoderLayer(const Model& model, const Options& options)
    : placement_(options.placement),
      attention_{model.spec.heads, model.spec.head_width, false},
      inputs_(make_inputs(model, options)),
      attention_output_(make_linear(model, options, {"attention_output"}, !options.grafts.empty())),
      inner_(make_linear(model, options, {"inner"}, !options.grafts.empty())),
      output_(make_linear(model, options, {"output"}, !options.grafts.empty())),
      attention_norm_(load_norm(model, layer_name(options.layer, "attention_norm"), placement_)),
      output_norm_(load_norm(model, layer_name(options.layer, "output_norm"), placement_)) {}

std::int64_t EncoderLayer::input_slack() const { return inputs_.back().slack(); }

std::vector<AdaptedLinear*> EncoderLayer::linears() {
    std::vector<AdaptedLinear*> all;
    for (auto& input : inputs_) all.push_back(&input);
    all.insert(all.end(), {&attention_output_, &inner_, &output_});
    return all;
}

torch::Tensor EncoderLayer::forward(const torch::Tensor& x, const StagedBatch& batch, const Dropout& dropout,
                                    std::int64_t next_slack) {
    Slack slack{attention_output_.slack(), input_slack()};
    bool apart = inputs_.size() == 2;
    // With queries apart two maps read x, and only one of them may write into its slack.
    auto queries = inputs_[0].forward(x, dropout, !apart);
    auto keys_values = apart ? inputs_[1].forward(x, dropout) : torch::Tensor();
    auto mixed = attention(queries, keys_values, batch, attention_, placement_, slack);
    return after_attention(mixed, x, dropout, next_slack);
}

torch::Tensor EncoderLayer::forward_first(const torch::Tensor& x, const StagedBatch& batch, const Dropout& dropout,
                                          std::int64_t next_slack) {
    ROOTSTOCK_CHECK(inputs_.size() == 2, "only a layer built with queries apart runs first tokens alone");
    auto shape = attention_;
    shape.first_only = true;
    auto first = x.index_select(0, batch.first);
    auto queries = inputs_[0].forward(first, dropout, false);
    auto keys_values = inputs_[1].forward(x, dropout);
    auto mixed = attention(queries, keys_values, batch, shape, placement_, {attention_output_.slack(), input_slack()});
    return after_attention(mixed, first, dropout, next_slack);
}

torch::Tensor EncoderLayer::after_attention(const torch::Tensor& mixed, const torch::Tensor& x, const Dropout& dropout,
                                            std::int64_t next_slack) {
    auto attended = attention_output_.forward(mixed, dropout);
    auto middle = add_norm(attended, x, attention_norm_, placement_, {inner_.slack(), attention_output_.slack()});
    auto active = gelu(inner_.forward(middle, dropout), placement_, {output_.slack(), inner_.slack()});
    return add_norm(output_.forward(active, dropout), middle, output_norm_, placement_, {next_slack, output_.slack()});
}

}  // namespace rootstock
