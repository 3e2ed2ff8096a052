#pragma once
// A frozen encoder of the spec with low-rank grafts on some of its linear maps.

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "autograd/executor/encoder_layer.h"
#include "autograd/executor/staged_batch.h"

namespace rootstock {

class Encoder {
public:
    // unsupported: the spec has an option this executor does not run, by name. `grafts` may be empty: the base alone.
    // The model's mapped weights must outlive the encoder only as far as it keeps views of them, which it does by
    // itself.
    static Result<std::unique_ptr<Encoder>> load(const Model& model, const Placement& placement,
                                                 const GraftPlan& grafts);

    // invalid_argument or too_long, see stage_batch.
    Result<StagedBatch> stage(const PackedBatch& batch) const { return stage_batch(batch, spec_, placement_); }

    // The last layer's states: [tokens, width] in the placement's type.
    torch::Tensor hidden(const StagedBatch& batch, const Dropout& dropout = {});

    // The last layer's states of each row's first token: [rows, width]. Cheaper than hidden(), the same numbers.
    torch::Tensor first_states(const StagedBatch& batch, const Dropout& dropout = {}, std::int64_t slack = 0);

    // The output of the embeddings (depth 0) or of layer `depth`: [tokens, width]. For tests against reference values.
    torch::Tensor hidden_at(const StagedBatch& batch, int depth);

    // Mean over each row's states, divided by its Euclidean norm: fp32 [rows, width] (sentence-transformers).
    torch::Tensor embeddings(const StagedBatch& batch);

    const TransformerSpec& spec() const { return spec_; }
    const Placement& placement() const { return placement_; }
    std::vector<AdaptedLinear*> linears();

private:
    Encoder(const Model& model, const Placement& placement, const GraftPlan& grafts);
    torch::Tensor run(const StagedBatch& batch, const Dropout& dropout, std::size_t layers);

    TransformerSpec spec_;
    Placement placement_;
    EmbeddingWeights embedding_;
    std::vector<std::unique_ptr<EncoderLayer>> layers_;
};

// Which modules get which rank and scale: the settings' targets, or what an adapter holds.
Result<GraftPlan> plan_grafts(const TransformerSpec& spec, const LoraSettings& settings);
GraftPlan plan_grafts(const Adapter& adapter);

}  // namespace rootstock
