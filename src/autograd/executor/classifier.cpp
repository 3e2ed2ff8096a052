#include "autograd/executor/classifier.h"

#include <cmath>

namespace rootstock {

namespace {

std::unique_ptr<AdaptedLinear> make_pooler(const Model& model, const Placement& placement, const GraftPlan& grafts) {
    auto maps = linear_maps(model.spec);
    bool trained_before = grafts.size() > (grafts.contains("pooler") ? 1u : 0u);
    return std::make_unique<AdaptedLinear>(model, std::vector{maps.back()},
                                           AdaptedLinear::Options{placement, grafts, maps.size() - 1, trained_before});
}

}  // namespace

Result<std::unique_ptr<SequenceClassifier>> SequenceClassifier::build(const Model& model, const GraftPlan& grafts,
                                                                      int classes, const Placement& placement) {
    if (!model.spec.pooler)
        return fail(ErrorCode::unsupported,
                    "this model has no pooler, which a classifier reads: choose another base model");
    ROOTSTOCK_TRY(encoder, Encoder::load(model, placement, grafts));
    return std::unique_ptr<SequenceClassifier>(new SequenceClassifier(model, std::move(encoder), grafts, classes));
}

Result<std::unique_ptr<SequenceClassifier>> SequenceClassifier::create(const Model& model, const LoraSettings& settings,
                                                                       int classes, std::uint64_t seed,
                                                                       const Placement& placement) {
    ROOTSTOCK_TRY(grafts, plan_grafts(model.spec, settings));
    ROOTSTOCK_TRY(classifier, build(model, grafts, classes, placement));
    classifier->initialise(seed);
    return std::move(classifier);
}

Result<std::unique_ptr<SequenceClassifier>> SequenceClassifier::restore(const Model& model, const Adapter& adapter,
                                                                        const Placement& placement) {
    if (adapter.head.classes == 0)
        return fail(ErrorCode::invalid_argument,
                    "the adapter has no classification head: it was tuned for another task");
    ROOTSTOCK_TRY(classifier, build(model, plan_grafts(adapter), adapter.head.classes, placement));
    for (auto* linear : classifier->linears()) linear->read_pairs(adapter.pairs);
    torch::NoGradGuard no_gradient;
    auto& parameters = classifier->parameters_;
    parameters.at("head.weight")
        .copy_(torch::tensor(adapter.head.weight).view({adapter.head.classes, adapter.head.width}));
    parameters.at("head.bias").copy_(torch::tensor(adapter.head.bias));
    return std::move(classifier);
}

SequenceClassifier::SequenceClassifier(const Model& model, std::unique_ptr<Encoder> encoder, const GraftPlan& grafts,
                                       int classes)
    : encoder_(std::move(encoder)), pooler_(make_pooler(model, encoder_->placement(), grafts)), classes_(classes) {
    std::vector<ParameterShape> shapes;
    for (auto* linear : linears())
        for (auto& shape : linear->parameter_shapes()) shapes.push_back(std::move(shape));
    shapes.push_back({"head.weight", {classes, model.spec.width}, ParameterKind::head_weight});
    shapes.push_back({"head.bias", {classes}, ParameterKind::head_bias});
    parameters_ = Parameters(std::move(shapes), encoder_->placement().device);
    for (auto* linear : linears()) linear->bind(parameters_);
}

std::vector<AdaptedLinear*> SequenceClassifier::linears() const {
    auto all = encoder_->linears();
    all.push_back(pooler_.get());
    return all;
}

void SequenceClassifier::initialise(std::uint64_t seed) {
    SeededRandom random(seed);
    auto values = torch::zeros({parameters_.size()}, torch::kFloat32);
    for (const auto& entry : parameters_.entries()) {
        auto* place = values.data_ptr<float>() + entry.offset;
        bool is_a = entry.shape.name.ends_with(".a");
        double bound = is_a ? 1.0 / std::sqrt(static_cast<double>(entry.shape.shape[1])) : 0.0;
        for (std::int64_t i = 0; i < entry.shape.elements(); ++i) {
            if (is_a) place[i] = static_cast<float>(bound * (2 * random.uniform() - 1));
            if (entry.shape.kind == ParameterKind::head_weight)
                place[i] = static_cast<float>(encoder_->spec().initializer_range * random.normal());
        }
    }
    parameters_.values().copy_(values);
}

void SequenceClassifier::stage_low_rank() {
    auto all = linears();
    auto count = static_cast<std::int64_t>(all.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) all[static_cast<std::size_t>(i)]->stage_low_rank();
}

torch::Tensor SequenceClassifier::logits(const StagedBatch& batch, const Dropout& dropout) {
    stage_low_rank();
    auto first = encoder_->first_states(batch, dropout, pooler_->slack());
    auto pooled = torch::tanh(pooler_->forward(first, dropout).to(torch::kFloat32));
    return torch::linear(pooled, parameters_.at("head.weight"), parameters_.at("head.bias"));
}

Adapter SequenceClassifier::to_adapter(const LoraSettings& settings) const {
    Adapter adapter;
    adapter.settings = settings;
    for (auto* linear : linears()) linear->write_pairs(adapter.pairs);
    auto weight = parameters_.at("head.weight").detach().cpu(), bias = parameters_.at("head.bias").detach().cpu();
    adapter.head.classes = classes_;
    adapter.head.width = encoder_->spec().width;
    adapter.head.weight.assign(weight.data_ptr<float>(), weight.data_ptr<float>() + weight.numel());
    adapter.head.bias.assign(bias.data_ptr<float>(), bias.data_ptr<float>() + bias.numel());
    return adapter;
}

}  // namespace rootstock
