#include "autograd/executor/classifier.h"

#include <utility>

namespace rootstock {

namespace {

HeadSpec sequence_head(const TransformerSpec& spec, int classes) {
    HeadSpec head;
    head.kind = HeadKind::sequence;
    head.classes = classes;
    head.bias = classifier_has_bias(spec);
    head.dense = spec.classifier_dense;
    return head;
}

std::vector<float> host_values(const torch::Tensor& tensor) {
    auto values = tensor.detach().cpu().contiguous();
    return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

}  // namespace

Result<std::unique_ptr<SequenceClassifier>> SequenceClassifier::build(const Model& model, const GraftPlan& grafts,
                                                                      int classes, const Placement& placement) {
    ROOTSTOCK_TRY(headed, HeadedModel::with_new_head(model, sequence_head(model.spec, classes), placement,
                                                     Tuning{grafts, false, true}));
    return std::unique_ptr<SequenceClassifier>(new SequenceClassifier(std::move(headed), classes));
}

Result<std::unique_ptr<SequenceClassifier>> SequenceClassifier::create(const Model& model, const LoraSettings& settings,
                                                                       int classes, std::uint64_t seed,
                                                                       const Placement& placement) {
    ROOTSTOCK_TRY(grafts, plan_grafts(model.spec, settings));
    ROOTSTOCK_TRY(classifier, build(model, grafts, classes, placement));
    classifier->model_->initialise(seed);
    return std::move(classifier);
}

Result<std::unique_ptr<SequenceClassifier>> SequenceClassifier::restore(const Model& model, const Adapter& adapter,
                                                                        const Placement& placement) {
    if (adapter.head.classes == 0)
        return fail(ErrorCode::invalid_argument,
                    "the adapter has no classification head: it was tuned for another task");
    ROOTSTOCK_TRY(classifier, build(model, plan_grafts(adapter), adapter.head.classes, placement));
    for (auto* linear : classifier->model_->linears()) linear->read_pairs(adapter.pairs);
    torch::NoGradGuard no_gradient;
    auto& parameters = classifier->parameters();
    parameters.at("head.weight")
        .copy_(torch::tensor(adapter.head.weight).view({adapter.head.classes, adapter.head.width}));
    if (const auto* bias = parameters.find("head.bias")) bias->copy_(torch::tensor(adapter.head.bias));
    if (const auto* dense = parameters.find("head.dense.weight")) {
        dense->copy_(torch::tensor(adapter.head.dense_weight).view({adapter.head.width, adapter.head.width}));
        parameters.at("head.dense.bias").copy_(torch::tensor(adapter.head.dense_bias));
    }
    return std::move(classifier);
}

Adapter SequenceClassifier::to_adapter(const LoraSettings& settings) const {
    Adapter adapter;
    adapter.settings = settings;
    for (auto* linear : model_->linears()) linear->write_pairs(adapter.pairs);
    const auto& parameters = std::as_const(*model_).parameters();
    adapter.head.classes = classes_;
    adapter.head.width = model_->transformer().spec().width;
    adapter.head.weight = host_values(parameters.at("head.weight"));
    const auto* bias = parameters.find("head.bias");
    adapter.head.bias = bias ? host_values(*bias) : std::vector<float>(static_cast<std::size_t>(classes_), 0.0f);
    if (const auto* dense = parameters.find("head.dense.weight")) {
        adapter.head.dense_weight = host_values(*dense);
        adapter.head.dense_bias = host_values(parameters.at("head.dense.bias"));
    }
    return adapter;
}

}  // namespace rootstock
