#pragma once
// Sequence classification exactly as transformers' BertForSequenceClassification:
//
//   logits = head(tanh(pooler(last state of the row's first token)))        [rows, classes], fp32

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "autograd/executor/encoder.h"
#include "autograd/executor/parameters.h"
#include "model/model.h"

namespace rootstock {

class SequenceClassifier {
public:
    // Fresh parameters from `seed`: A uniform within 1/sqrt(in) and B zero (as peft does), the head normal with the
    // spec's initializer_range and zero bias. invalid_argument: an unknown target; unsupported: no pooler, or see
    // Encoder::load.
    static Result<std::unique_ptr<SequenceClassifier>> create(const Model& model, const LoraSettings& settings,
                                                              int classes, std::uint64_t seed,
                                                              const Placement& placement);

    // The parameters of an adapter that load_adapter accepted for this model.
    static Result<std::unique_ptr<SequenceClassifier>> restore(const Model& model, const Adapter& adapter,
                                                               const Placement& placement);

    Result<StagedBatch> stage(const PackedBatch& batch) const { return encoder_->stage(batch); }

    // `dropout` acts on the input of every A; leave it out to evaluate.
    torch::Tensor logits(const StagedBatch& batch, const Dropout& dropout = {});

    Parameters& parameters() { return parameters_; }
    Encoder& encoder() { return *encoder_; }

    // The trained state as files have it: pairs and head; the caller adds labels, lineage and self-tests.
    Adapter to_adapter(const LoraSettings& settings) const;

private:
    SequenceClassifier(const Model& model, std::unique_ptr<Encoder> encoder, const GraftPlan& grafts, int classes);
    static Result<std::unique_ptr<SequenceClassifier>> build(const Model& model, const GraftPlan& grafts, int classes,
                                                             const Placement& placement);
    void initialise(std::uint64_t seed);
    std::vector<AdaptedLinear*> linears() const;
    void stage_low_rank();

    std::unique_ptr<Encoder> encoder_;
    std::unique_ptr<AdaptedLinear> pooler_;
    Parameters parameters_;
    int classes_;
};

}  // namespace rootstock
