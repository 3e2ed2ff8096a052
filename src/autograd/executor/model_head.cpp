#include "autograd/executor/model_head.h"

#include "autograd/executor/base_tensors.h"

namespace rootstock {

namespace {

std::unique_ptr<AdaptedLinear> make_pooler(const Model& model, const Placement& placement, const Tuning& tuning) {
    if (!model.spec.pooler) return nullptr;
    auto maps = linear_maps(model.spec);
    bool trained_before = tuning.grafts.size() > (tuning.grafts.contains("pooler") ? 1u : 0u);
    return std::make_unique<AdaptedLinear>(
        model, std::vector{maps.back()},
        AdaptedLinear::Options{placement, tuning.grafts, maps.size() - 1, trained_before, tuning.whole_base});
}

}  // namespace

ModelHead::ModelHead(const Model& model, const HeadSpec& head, const Placement& placement, const Tuning& tuning,
                     bool fresh)
    : head_(head),
      placement_(placement),
      activation_(model.spec.activation),
      pooler_activation_(model.spec.pooler_activation),
      pooler_(make_pooler(model, placement, tuning)) {
    norm_.eps = model.spec.norm_eps;
    norm_.kind = model.spec.norm;
    if (fresh) return;
    auto load = [&](torch::Tensor& tensor, const char* name) {
        if (model.weights.find(name)) tensor = load_tensor(model, name, placement);
    };
    load(weight_, "head.weight");
    load(bias_, "head.bias");
    load(dense_weight_, "head.dense.weight");
    load(dense_bias_, "head.dense.bias");
    load(distillation_weight_, "head.distillation.weight");
    load(distillation_bias_, "head.distillation.bias");
    load(transform_weight_, "head.transform.weight");
    load(transform_bias_, "head.transform.bias");
    load(norm_.weight, "head.norm.weight");
    load(norm_.bias, "head.norm.bias");
}

void ModelHead::bind(const Parameters& parameters) {
    if (pooler_) pooler_->bind(parameters);
    rebind(weight_, "head.weight", parameters);
    rebind(bias_, "head.bias", parameters);
    rebind(dense_weight_, "head.dense.weight", parameters);
    rebind(dense_bias_, "head.dense.bias", parameters);
    rebind(distillation_weight_, "head.distillation.weight", parameters);
    rebind(distillation_bias_, "head.distillation.bias", parameters);
    rebind(transform_weight_, "head.transform.weight", parameters);
    rebind(transform_bias_, "head.transform.bias", parameters);
    rebind(norm_.weight, "head.norm.weight", parameters);
    rebind(norm_.bias, "head.norm.bias", parameters);
}

// The product runs in the placement's type where there are many tokens and words, in fp32 for a classifier.
torch::Tensor ModelHead::mapped(const torch::Tensor& states, const torch::Tensor& weight,
                                const torch::Tensor& bias) const {
    bool words = head_.kind == HeadKind::masked_lm || head_.kind == HeadKind::causal_lm;
    auto type = words ? placement_.type : torch::kFloat32;
    auto logits = torch::matmul(states.to(type), weight.to(type).t()).to(torch::kFloat32);
    return bias.defined() ? logits + bias : logits;
}

torch::Tensor ModelHead::sequence_logits(Transformer& transformer, const StagedBatch& batch, const Dropout& dropout) {
    if (head_.distillation) {
        auto states = transformer.hidden(batch, dropout);
        auto classes = mapped(states.index_select(0, batch.picked), weight_, bias_);
        auto distilled = mapped(states.index_select(0, batch.picked + 1), distillation_weight_, distillation_bias_);
        return (classes + distilled) / 2;
    }
    auto states = transformer.picked_states(batch, dropout, pooler_ ? pooler_->slack() : 0);
    if (pooler_)
        states = activate(pooler_->forward(states, dropout).to(torch::kFloat32), pooler_activation_,
                          reference_placement(), {});
    if (head_.dense)
        states = activate(mapped(states, dense_weight_, dense_bias_), pooler_activation_, reference_placement(), {});
    if (head_.relu) states = torch::relu(states);
    return mapped(states, weight_, bias_);
}

torch::Tensor ModelHead::logits(Transformer& transformer, const StagedBatch& batch, const Dropout& dropout) {
    if (head_.kind == HeadKind::sequence) return sequence_logits(transformer, batch, dropout);
    auto states = transformer.hidden(batch, dropout);
    const auto& weight = head_.tied ? transformer.token_table() : weight_;
    if (head_.kind == HeadKind::masked_lm) {
        auto inner = mapped(states, transform_weight_, transform_bias_);
        states = apply_norm(activate(inner, activation_, reference_placement(), {}), norm_);
    }
    if (head_.scale != 1) states = states * head_.scale;
    return mapped(states, weight, bias_);
}

}  // namespace rootstock
