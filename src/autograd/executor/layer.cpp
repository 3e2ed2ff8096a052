#include "autograd/executor/layer.h"

#include <algorithm>

#include "autograd/executor/base_tensors.h"

namespace rootstock {

namespace {

using Kinds = std::vector<std::string>;

std::string prefix_of(const Layer::Options& options) {
    return options.decoder ? decoder_layer_name(options.layer, "") : layer_name(options.layer, "");
}

// A layer's maps of these kinds as one AdaptedLinear. Inside a layer the gradient also has to pass maps that follow
// grafts of the same layer, so `differentiable` is worked out by the caller.
AdaptedLinear make_linear(const Model& model, const Layer::Options& options, const Kinds& kinds, bool differentiable) {
    std::vector<LinearMap> maps;
    std::uint64_t site = 0;
    auto all = linear_maps(model.spec);
    for (const auto& kind : kinds)
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].module != prefix_of(options) + kind) continue;
            maps.push_back(all[i]);
            site = i;
        }
    return AdaptedLinear(model, std::move(maps),
                         {options.placement, options.grafts, site, differentiable, options.trained_base});
}

std::vector<AdaptedLinear> make_inputs(const Model& model, const Layer::Options& options) {
    std::vector<AdaptedLinear> inputs;
    std::vector<Kinds> shares{{"query", "key", "value"}};
    if (options.queries_apart) shares = {{"query"}, {"key", "value"}};
    for (auto& kinds : shares) inputs.push_back(make_linear(model, options, kinds, options.differentiable_input));
    return inputs;
}

std::vector<AdaptedLinear> make_from_memory(const Model& model, const Layer::Options& options) {
    std::vector<AdaptedLinear> maps;
    if (!options.decoder) return maps;
    for (const auto& kinds : {Kinds{"cross_query"}, Kinds{"cross_key", "cross_value"}, Kinds{"cross_attention_output"}})
        maps.push_back(make_linear(model, options, kinds, true));
    return maps;
}

AttentionRules rules_of(const TransformerSpec& spec, const Layer::Options& options) {
    bool windowed = spec.window > 0 && options.layer >= spec.window_first_layer;
    return {spec.heads,
            spec.key_value_heads,
            spec.head_width,
            spec.score_scale,
            options.decoder || spec.attention == AttentionDirection::causal,
            windowed ? spec.window : 0};
}

// Behind the sites of linear maps: four for each layer, one for each group of rows behind them.
std::uint64_t first_site_of(const Layer::Options& options) {
    constexpr std::uint64_t behind_maps = 1 << 20, groups_max = 1 << 20;
    return behind_maps + (2 * static_cast<std::uint64_t>(options.layer) + options.decoder) * (4 + groups_max);
}

Norm first_norm_of(const Model& model, const Layer::Options& options, const std::string& prefix) {
    if (options.layer == 0 && !model.spec.first_norm) return {};
    return load_norm(model, prefix + "attention_norm", options.placement);
}

// As many lines as the batch has places: those that belong to no row are zero.
torch::Tensor padded(const torch::Tensor& tokens, const StagedBatch& batch) {
    auto missing = batch.places - tokens.size(0);
    return missing > 0 ? torch::constant_pad_nd(tokens, {0, 0, 0, missing}) : tokens;
}

}  // namespace

Layer::Layer(const Model& model, const Options& options)
    : placement_(options.placement),
      prefix_(prefix_of(options)),
      rules_(rules_of(model.spec, options)),
      norm_place_(model.spec.norm_place),
      activation_(model.spec.activation),
      attention_dropout_(model.spec.attention_dropout),
      inner_dropout_(model.spec.inner_dropout),
      hidden_dropout_(model.spec.hidden_dropout),
      first_site_(first_site_of(options)),
      inputs_(make_inputs(model, options)),
      from_memory_(make_from_memory(model, options)),
      attention_output_(make_linear(model, options, {"attention_output"}, !options.grafts.empty())),
      inner_(make_linear(model, options, {"gate", "inner"}, !options.grafts.empty())),
      output_(make_linear(model, options, {"output"}, !options.grafts.empty())),
      attention_norm_(first_norm_of(model, options, prefix_)),
      cross_norm_(options.decoder ? load_norm(model, prefix_ + "cross_norm", placement_) : Norm{}),
      output_norm_(load_norm(model, prefix_ + "output_norm", placement_)) {}

void Layer::bind(const Parameters& parameters) {
    for (auto* linear : linears()) linear->bind(parameters);
    rebind(attention_norm_, prefix_ + "attention_norm", parameters);
    rebind(cross_norm_, prefix_ + "cross_norm", parameters);
    rebind(output_norm_, prefix_ + "output_norm", parameters);
}

std::int64_t Layer::input_slack() const { return inputs_.back().slack(); }

std::vector<AdaptedLinear*> Layer::linears() {
    std::vector<AdaptedLinear*> all;
    for (auto& input : inputs_) all.push_back(&input);
    all.push_back(&attention_output_);
    for (auto& map : from_memory_) all.push_back(&map);
    all.insert(all.end(), {&inner_, &output_});
    return all;
}

torch::Tensor Layer::before(const torch::Tensor& x, const Norm& norm) const {
    return norm_place_ == NormPlace::before && norm.defined() ? apply_norm(x, norm) : x;
}

torch::Tensor Layer::after(const torch::Tensor& result, const torch::Tensor& x, const Norm& norm, Slack slack) const {
    return norm_place_ == NormPlace::before ? x + result : add_norm(result, x, norm, placement_, slack);
}

torch::Tensor Layer::dropped(const torch::Tensor& x, double share, const Dropout& dropout, std::uint64_t place) const {
    return dropout.whole_model && share > 0 ? dropout.drop(first_site_ + place, share, x) : x;
}

WeightDropout Layer::weight_dropout(const Dropout& dropout) const {
    if (!dropout.whole_model) return {};
    return {&dropout, attention_dropout_, first_site_ + 4};
}

torch::Tensor Layer::mix_heads(const torch::Tensor& mixed, const Dropout& dropout) {
    return attention_output_.parts().empty() ? mixed : attention_output_.forward(mixed, dropout);
}

torch::Tensor Layer::forward(const torch::Tensor& x, const Pass& pass, std::int64_t next_slack) {
    bool apart = inputs_.size() == 2;
    auto input = before(x, attention_norm_);
    // With queries apart two maps read the input, and only one of them may write into its slack.
    auto queries = inputs_[0].forward(input, pass.dropout, !apart);
    auto keys_values = apart ? inputs_[1].forward(input, pass.dropout) : torch::Tensor();
    return after_attention(attend(queries, keys_values, pass, false), x, pass, next_slack);
}

torch::Tensor Layer::forward_picked(const torch::Tensor& x, const Pass& pass, std::int64_t next_slack) {
    ROOTSTOCK_CHECK(inputs_.size() == 2, "only a layer built with queries apart runs picked tokens alone");
    auto input = before(x, attention_norm_);
    auto queries = inputs_[0].forward(input.index_select(0, pass.batch.picked), pass.dropout, false);
    auto keys_values = inputs_[1].forward(input, pass.dropout);
    auto residual = x.index_select(0, pass.batch.picked);
    return after_attention(attend(queries, keys_values, pass, true), residual, pass, next_slack);
}

torch::Tensor Layer::attend(const torch::Tensor& queries, const torch::Tensor& keys_values, const Pass& pass,
                            bool picked) const {
    if (placement_.kernels())
        return kernel_attention(queries, keys_values, pass.batch, {rules_.heads, rules_.head_width, picked},
                                {attention_output_.slack(), input_slack()});
    auto width = rules_.heads * rules_.head_width, shared = rules_.key_value_heads * rules_.head_width;
    bool apart = keys_values.defined();
    const auto& second = apart ? keys_values : queries;
    auto begin = apart ? 0 : width;
    auto q = rotate(queries.narrow(1, 0, width), picked ? pass.angles.at(pass.batch.picked) : pass.angles,
                    rules_.head_width);
    auto k = rotate(second.narrow(1, begin, shared), pass.angles, rules_.head_width);
    auto v = second.narrow(1, begin + shared, shared);
    const auto dropout = weight_dropout(pass.dropout);
    if (!picked)
        return padded(row_attention(q, k, v, pass.batch.all_rows, rules_, pass.biases, dropout), pass.batch);
    auto whole_row = rules_;
    whole_row.causal = false;
    return row_attention(q, k, v, pass.batch.picked_rows, whole_row, {}, dropout);
}

torch::Tensor Layer::attend_memory(const torch::Tensor& x, const Pass& pass) {
    auto queries = from_memory_[0].forward(before(x, cross_norm_), pass.dropout);
    auto keys_values = from_memory_[1].forward(pass.memory, pass.dropout);
    auto shared = rules_.key_value_heads * rules_.head_width;
    auto rules = rules_;
    rules.causal = false;
    rules.window = 0;
    auto mixed = row_attention(queries, keys_values.narrow(1, 0, shared), keys_values.narrow(1, shared, shared),
                               *pass.memory_rows, rules);
    return after(from_memory_[2].forward(mixed, pass.dropout), x, cross_norm_, {});
}

torch::Tensor Layer::inner_states(const torch::Tensor& x, const Dropout& dropout, Slack slack) {
    auto states = inner_.forward(x, dropout);
    if (inner_.parts().size() == 1) return activate(states, activation_, placement_, slack);
    auto width = states.size(1) / 2;
    return activate(states.narrow(1, 0, width), activation_, placement_, slack) * states.narrow(1, width, width);
}

torch::Tensor Layer::after_attention(const torch::Tensor& mixed, const torch::Tensor& x, const Pass& pass,
                                     std::int64_t next_slack) {
    auto attended = dropped(mix_heads(mixed, pass.dropout), hidden_dropout_, pass.dropout, 0);
    auto middle = after(attended, x, attention_norm_, {inner_.slack(), attention_output_.slack()});
    if (!from_memory_.empty()) middle = attend_memory(middle, pass);
    auto active = inner_states(before(middle, output_norm_), pass.dropout, {output_.slack(), inner_.slack()});
    active = dropped(active, inner_dropout_, pass.dropout, 1);
    auto result = dropped(output_.forward(active, pass.dropout), hidden_dropout_, pass.dropout, 2);
    return after(result, middle, output_norm_, {next_slack, output_.slack()});
}

}  // namespace rootstock
