#pragma once
// A model of the spec up to its last states: embeddings, one stack of layers or two, norms. Low-rank grafts on some of
// its linear maps, or every tensor trained. Options of the spec decide what a layer is; no family has code of its own.

#include <torch/torch.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/executor/layer.h"
#include "autograd/executor/staged_batch.h"

namespace rootstock {

// What of a model is trained.
struct Tuning {
    GraftPlan grafts;         // low-rank updates; may be empty
    bool whole_base = false;  // every tensor of the base; torch route only
    bool head = true;         // of the head on top, where there is one
};

// The layers of an encoder, or of a decoder, with what belongs to all of them.
class Stack {
public:
    Stack(const Model& model, const Placement& placement, const Tuning& tuning, bool decoder);

    // The states after `depth` layers, without the final norm.
    torch::Tensor run(torch::Tensor x, const Pass& pass, std::size_t depth);
    torch::Tensor final_norm(const torch::Tensor& x) const;

    // What the layers share on this batch. `dropout` and `batch` must outlive it.
    Pass pass(const StagedBatch& batch, const Dropout& dropout) const;

    void bind(const Parameters& parameters);
    std::int64_t input_slack() const { return layers_.empty() ? 0 : layers_.front()->input_slack(); }
    std::size_t depth() const { return layers_.size(); }
    Layer& last() { return *layers_.back(); }
    std::vector<AdaptedLinear*> linears();

private:
    TransformerSpec spec_;
    bool decoder_;
    std::vector<std::unique_ptr<Layer>> layers_;
    torch::Tensor relative_bias_;  // [buckets, heads]; undefined: positions enter otherwise
    Norm final_norm_;              // undefined: the spec has none
};

class Transformer {
public:
    // The model's mapped weights must outlive the transformer only as far as it keeps views of them, which it does by
    // itself.
    static Result<std::unique_ptr<Transformer>> load(const Model& model, const Placement& placement,
                                                     const Tuning& tuning);

    // invalid_argument or too_long, see stage_batch.
    Result<StagedBatch> stage(const PackedBatch& batch) const { return stage_batch(batch, spec_, placement_); }
    Result<StagedBatch> stage(const PackedBatch& batch, const PackedBatch& decoder) const {
        return stage_batch(batch, decoder, spec_, placement_);
    }
    Result<StagedBatch> stage_images(std::span<const float> pixels) const {
        return rootstock::stage_images(pixels, spec_, placement_);
    }

    Result<StagedBatch> stage_columns(const ColumnBatch& rows) const {
        return rootstock::stage_columns(rows, spec_, placement_);
    }

    // The last states, final norm included, in the placement's type: [tokens, width]; of a model with a decoder the
    // decoder's.
    torch::Tensor hidden(const StagedBatch& batch, const Dropout& dropout = {});

    // The first stack's last states, final norm included: [places, width].
    torch::Tensor encoded(const StagedBatch& batch, const Dropout& dropout = {});

    // The last states of each row's picked token (spec.pooling): [rows, width]. Cheaper than hidden() where the spec
    // allows it, the same numbers.
    torch::Tensor picked_states(const StagedBatch& batch, const Dropout& dropout = {}, std::int64_t slack = 0);

    // The first stack's states: the embeddings (depth 0) or what layer `depth` gives, before any final norm: [tokens,
    // width]. decoder_hidden_at likewise in the decoder. For tests against reference values.
    torch::Tensor hidden_at(const StagedBatch& batch, int depth);
    torch::Tensor decoder_hidden_at(const StagedBatch& batch, int depth);

    // Mean over each row's states, divided by its Euclidean norm: fp32 [rows, width] (sentence-transformers). Of a
    // model with a decoder the encoder's states.
    torch::Tensor embeddings(const StagedBatch& batch);

    const TransformerSpec& spec() const { return spec_; }
    const Placement& placement() const { return placement_; }
    const torch::Tensor& token_table() const { return embedding_.tokens; }  // fp32 [vocabulary, width]
    std::vector<AdaptedLinear*> linears();
    void bind(const Parameters& parameters);

private:
    Transformer(const Model& model, const Placement& placement, const Tuning& tuning);
    torch::Tensor embedded(const StagedBatch& batch, std::int64_t slack);
    torch::Tensor decoded(const StagedBatch& batch, const Dropout& dropout, std::size_t depth);
    bool picks_cheaply() const;

    TransformerSpec spec_;
    Placement placement_;
    EmbeddingWeights embedding_;
    Stack stack_;
    std::unique_ptr<Stack> decoder_;
};

// Which modules get which rank and scale: the settings' targets, or what an adapter holds.
Result<GraftPlan> plan_grafts(const TransformerSpec& spec, const LoraSettings& settings);
GraftPlan plan_grafts(const Adapter& adapter);

}  // namespace rootstock
