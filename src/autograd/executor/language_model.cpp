#include "autograd/executor/language_model.h"

#include <utility>

namespace rootstock {

Result<std::unique_ptr<LanguageModel>> LanguageModel::build(const Model& model, const GraftPlan& grafts,
                                                            const Placement& placement) {
    if (model.spec.head.kind != HeadKind::causal_lm)
        return fail(ErrorCode::unsupported,
                    "this model does not write texts, so it cannot learn conversations: choose a causal language model",
                    "base");
    ROOTSTOCK_TRY(headed, HeadedModel::load(model, placement, Tuning{grafts, false, false}));
    const auto& words = model.spec.head.tied ? headed->transformer().token_table() : headed->head().weight();
    auto head = std::make_unique<VocabularyHead>(words, model.spec.head.scale, placement);
    return std::unique_ptr<LanguageModel>(new LanguageModel(std::move(headed), std::move(head)));
}

Result<std::unique_ptr<LanguageModel>> LanguageModel::create(const Model& model, const LoraSettings& settings,
                                                             std::uint64_t seed, const Placement& placement) {
    ROOTSTOCK_TRY(grafts, plan_grafts(model.spec, settings));
    ROOTSTOCK_TRY(language, build(model, grafts, placement));
    language->model_->initialise(seed);
    return std::move(language);
}

Result<std::unique_ptr<LanguageModel>> LanguageModel::restore(const Model& model, const Adapter& adapter,
                                                              const Placement& placement) {
    ROOTSTOCK_TRY(language, build(model, plan_grafts(adapter), placement));
    for (auto* linear : language->model_->linears()) linear->read_pairs(adapter.pairs);
    return std::move(language);
}

VocabularyHead::Loss LanguageModel::loss(const StagedBatch& batch, const NextWords& words, const Dropout& dropout) {
    return head_->loss(model_->states(batch, dropout).index_select(0, words.places), words);
}

torch::Tensor LanguageModel::logits(const StagedBatch& batch, const torch::Tensor& places) {
    return head_->logits(model_->states(batch).index_select(0, places));
}

Adapter LanguageModel::to_adapter(const LoraSettings& settings) const {
    Adapter adapter;
    adapter.settings = settings;
    for (auto* linear : model_->linears()) linear->write_pairs(adapter.pairs);
    return adapter;
}

}  // namespace rootstock
