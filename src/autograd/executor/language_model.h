#pragma once
// A causal language model with low-rank updates, as peft's LoRA on transformers' *ForCausalLM: the base and its head
// are frozen, what is said next is learned.

#include <torch/torch.h>

#include <memory>

#include "autograd/executor/headed_model.h"
#include "autograd/ops/vocabulary_loss.h"

namespace rootstock {

class LanguageModel {
public:
    // Fresh parameters from `seed`: A uniform within 1/sqrt(in) and B zero, as peft does. unsupported: the model does
    // not write on. invalid_argument: an unknown target.
    static Result<std::unique_ptr<LanguageModel>> create(const Model& model, const LoraSettings& settings,
                                                         std::uint64_t seed, const Placement& placement);

    // The parameters of an adapter that load_adapter accepted for this model.
    static Result<std::unique_ptr<LanguageModel>> restore(const Model& model, const Adapter& adapter,
                                                          const Placement& placement);

    Result<StagedBatch> stage(const PackedBatch& batch) const { return model_->stage(batch); }

    // The weighed loss of the words (VocabularyHead); only the states that have something to say go through the head.
    // `dropout` acts on the input of every A; leave it out to evaluate.
    VocabularyHead::Loss loss(const StagedBatch& batch, const NextWords& words, const Dropout& dropout = {});

    // What would be said behind the tokens at `places` (int64): fp32 [places, vocabulary].
    torch::Tensor logits(const StagedBatch& batch, const torch::Tensor& places);

    Parameters& parameters() { return model_->parameters(); }
    const Transformer& transformer() const { return model_->transformer(); }
    torch::Device device() const { return model_->transformer().placement().device; }

    // The trained state as files have it; the caller adds lineage and self-tests.
    Adapter to_adapter(const LoraSettings& settings) const;

private:
    LanguageModel(std::unique_ptr<HeadedModel> model, std::unique_ptr<VocabularyHead> head)
        : model_(std::move(model)), head_(std::move(head)) {}
    static Result<std::unique_ptr<LanguageModel>> build(const Model& model, const GraftPlan& grafts,
                                                        const Placement& placement);

    std::unique_ptr<HeadedModel> model_;
    std::unique_ptr<VocabularyHead> head_;
};

}  // namespace rootstock
