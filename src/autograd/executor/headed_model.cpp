#include "autograd/executor/headed_model.h"

#include <cmath>

#include "autograd/ops/frozen_weights.h"

namespace rootstock {

namespace {

bool of_a_column(const std::string& name) {
    return name.starts_with("embed.numbers") || name.starts_with("embed.missing") || name.starts_with("embed.categor");
}

ParameterKind kind_of(const TensorShape& tensor, bool head) {
    // A column's vectors are no map: nothing pulls them to zero, as in the reference's optimiser.
    bool matrix = tensor.shape.size() > 1 && !of_a_column(tensor.name);
    if (head) return matrix ? ParameterKind::head_weight : ParameterKind::head_bias;
    return matrix ? ParameterKind::base_weight : ParameterKind::base_vector;
}

std::vector<ParameterShape> trained_tensors(const TransformerSpec& spec, const HeadSpec& head, const Tuning& tuning) {
    std::vector<ParameterShape> shapes;
    if (tuning.whole_base)
        for (const auto& tensor : tensors_of(spec))
            shapes.push_back({tensor.name, tensor.shape, kind_of(tensor, false)});
    auto with_head = spec;
    with_head.head = head;
    if (tuning.head)
        for (const auto& tensor : head_tensors_of(with_head))
            shapes.push_back({tensor.name, tensor.shape, kind_of(tensor, true)});
    return shapes;
}

void copy_values(const Model& model, bool head, Parameters& parameters) {
    torch::NoGradGuard no_gradient;
    for (const auto& entry : parameters.entries()) {
        bool of_head = entry.shape.kind == ParameterKind::head_weight || entry.shape.kind == ParameterKind::head_bias;
        const auto* tensor = of_head && !head ? nullptr : model.weights.find(entry.shape.name);
        if (tensor)
            parameters.values().narrow(0, entry.offset, tensor->elements()).copy_(host_view(*tensor).view({-1}));
    }
}

}  // namespace

Result<std::unique_ptr<HeadedModel>> HeadedModel::load(const Model& model, const Placement& placement,
                                                       const Tuning& tuning) {
    if (model.spec.head.kind == HeadKind::none)
        return fail(ErrorCode::unsupported,
                    "the model's folder holds no head: give it a new one, or choose a model "
                    "that was saved for this task");
    ROOTSTOCK_TRY(transformer, Transformer::load(model, placement, tuning));
    return std::unique_ptr<HeadedModel>(new HeadedModel(model, std::move(transformer), model.spec.head, tuning, false));
}

Result<std::unique_ptr<HeadedModel>> HeadedModel::with_new_head(const Model& model, const HeadSpec& head,
                                                                const Placement& placement, const Tuning& tuning) {
    if (head.kind == HeadKind::sequence && model.spec.classifier_pools && !model.spec.pooler)
        return fail(ErrorCode::unsupported,
                    "this model has no pooler, which a classifier reads: choose another base model");
    ROOTSTOCK_CHECK(tuning.head, "a new head is trained");
    ROOTSTOCK_TRY(transformer, Transformer::load(model, placement, tuning));
    return std::unique_ptr<HeadedModel>(new HeadedModel(model, std::move(transformer), head, tuning, true));
}

HeadedModel::HeadedModel(const Model& model, std::unique_ptr<Transformer> transformer, const HeadSpec& head,
                         const Tuning& tuning, bool fresh)
    : transformer_(std::move(transformer)), head_(model, head, transformer_->placement(), tuning, fresh) {
    std::vector<ParameterShape> shapes;
    for (auto* linear : linears())
        for (auto& shape : linear->parameter_shapes()) shapes.push_back(std::move(shape));
    for (auto& shape : trained_tensors(model.spec, head, tuning)) shapes.push_back(std::move(shape));
    parameters_ = Parameters(std::move(shapes), transformer_->placement().device);
    copy_values(model, !fresh, parameters_);
    transformer_->bind(parameters_);
    head_.bind(parameters_);
}

std::vector<AdaptedLinear*> HeadedModel::linears() const {
    auto all = transformer_->linears();
    if (head_.pooler()) all.push_back(head_.pooler());
    return all;
}

void HeadedModel::stage_low_rank() {
    auto all = linears();
    auto count = static_cast<std::int64_t>(all.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i) all[static_cast<std::size_t>(i)]->stage_low_rank();
}

torch::Tensor HeadedModel::states(const StagedBatch& batch, const Dropout& dropout) {
    stage_low_rank();
    return transformer_->hidden(batch, dropout);
}

void HeadedModel::initialise(std::uint64_t seed) {
    SeededRandom random(seed);
    auto values = torch::zeros({parameters_.size()}, torch::kFloat32);
    for (const auto& entry : parameters_.entries()) {
        auto* place = values.data_ptr<float>() + entry.offset;
        bool is_a = entry.shape.name.ends_with(".a");
        double bound = is_a ? 1.0 / std::sqrt(static_cast<double>(entry.shape.shape[1])) : 0.0;
        for (std::int64_t i = 0; i < entry.shape.elements(); ++i) {
            if (is_a) place[i] = static_cast<float>(bound * (2 * random.uniform() - 1));
            if (entry.shape.kind == ParameterKind::head_weight)
                place[i] = static_cast<float>(transformer_->spec().initializer_range * random.normal());
        }
    }
    parameters_.values().copy_(values);
}

torch::Tensor HeadedModel::logits(const StagedBatch& batch, const Dropout& dropout) {
    stage_low_rank();
    return head_.logits(*transformer_, batch, dropout);
}

}  // namespace rootstock
