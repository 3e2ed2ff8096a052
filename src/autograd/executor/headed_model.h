#pragma once
// A transformer, the head on top and everything that is trained of both: what a task is learned with.

#include <torch/torch.h>

#include <memory>
#include <span>
#include <vector>

#include "autograd/executor/model_head.h"
#include "autograd/executor/parameters.h"
#include "autograd/executor/transformer.h"

namespace rootstock {

class HeadedModel {
public:
    // With the head that the model's folder holds. unsupported: it holds none, or see Transformer::load.
    static Result<std::unique_ptr<HeadedModel>> load(const Model& model, const Placement& placement,
                                                     const Tuning& tuning);

    // With a new head whose parameters are zero until somebody writes to them. unsupported: a sequence head on a
    // model without the pooler that its family's classifiers read; or see Transformer::load.
    static Result<std::unique_ptr<HeadedModel>> with_new_head(const Model& model, const HeadSpec& head,
                                                              const Placement& placement, const Tuning& tuning);

    // See Transformer; the batch's results are of its rows or tokens, in their order.
    Result<StagedBatch> stage(const PackedBatch& batch) const { return transformer_->stage(batch); }
    Result<StagedBatch> stage(const PackedBatch& batch, const PackedBatch& decoder) const {
        return transformer_->stage(batch, decoder);
    }
    Result<StagedBatch> stage_images(std::span<const float> pixels) const { return transformer_->stage_images(pixels); }

    Result<StagedBatch> stage_columns(const ColumnBatch& rows) const { return transformer_->stage_columns(rows); }

    // What the head reads: the last states of all tokens, in the placement's stream type.
    torch::Tensor states(const StagedBatch& batch, const Dropout& dropout = {});

    // See ModelHead. `dropout` acts on the input of every low-rank A, and with whole_model wherever
    // the spec says; leave it out to evaluate.
    torch::Tensor logits(const StagedBatch& batch, const Dropout& dropout = {});

    // Fresh low-rank updates and head: A uniform within 1/sqrt(in) and B zero, as peft does; the head normal with the
    // spec's initializer_range and zero bias.
    void initialise(std::uint64_t seed);

    // Names: the canonical ones of tensors_of(spec) and head_tensors_of(spec) with a trained base, head.* with a
    // trained head, and AdaptedLinear's for grafts.
    Parameters& parameters() { return parameters_; }
    const Parameters& parameters() const { return parameters_; }
    Transformer& transformer() { return *transformer_; }
    const Transformer& transformer() const { return *transformer_; }
    const ModelHead& head() const { return head_; }
    std::vector<AdaptedLinear*> linears() const;

private:
    HeadedModel(const Model& model, std::unique_ptr<Transformer> transformer, const HeadSpec& head,
                const Tuning& tuning, bool fresh);
    void stage_low_rank();

    std::unique_ptr<Transformer> transformer_;
    ModelHead head_;
    Parameters parameters_;
};

}  // namespace rootstock
