#pragma once
// Sequence classification exactly as transformers' *ForSequenceClassification of the model's family:
//
//   logits = head(tanh(pooler(state of the row's first token)))          BERT: [rows, classes]
//   logits = head(activation(dense(state of the row's first token)))     RoBERTa, DistilBERT: dense is the head's,
//   trained
//                                                                        whole; T5: the decoder's state of the last
//                                                                        token
//   logits = head(state of the row's last token)                         GPT-2, Llama and kin; no bias
//   logits = head(state of the class token)                              ViT, DeiT

#include <torch/torch.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/executor/headed_model.h"
#include "autograd/executor/parameters.h"
#include "model/model.h"

namespace rootstock {

class SequenceClassifier {
public:
    // Fresh parameters from `seed`, see HeadedModel::initialise. invalid_argument: an unknown target; unsupported: see
    // HeadedModel::with_new_head.
    static Result<std::unique_ptr<SequenceClassifier>> create(const Model& model, const LoraSettings& settings,
                                                              int classes, std::uint64_t seed,
                                                              const Placement& placement);

    // The parameters of an adapter that load_adapter accepted for this model.
    static Result<std::unique_ptr<SequenceClassifier>> restore(const Model& model, const Adapter& adapter,
                                                               const Placement& placement);

    Result<StagedBatch> stage(const PackedBatch& batch) const { return model_->stage(batch); }

    Result<StagedBatch> stage_images(std::span<const float> pixels) const { return model_->stage_images(pixels); }

    // `dropout` acts on the input of every A; leave it out to evaluate.
    torch::Tensor logits(const StagedBatch& batch, const Dropout& dropout = {}) {
        return model_->logits(batch, dropout);
    }

    Parameters& parameters() { return model_->parameters(); }
    Transformer& transformer() { return model_->transformer(); }

    // The trained state as files have it: pairs and head; the caller adds labels, lineage and self-tests.
    Adapter to_adapter(const LoraSettings& settings) const;

private:
    SequenceClassifier(std::unique_ptr<HeadedModel> model, int classes) : model_(std::move(model)), classes_(classes) {}
    static Result<std::unique_ptr<SequenceClassifier>> build(const Model& model, const GraftPlan& grafts, int classes,
                                                             const Placement& placement);

    std::unique_ptr<HeadedModel> model_;
    int classes_;
};

}  // namespace rootstock
