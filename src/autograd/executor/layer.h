#pragma once
// One layer of a stack: attention over its own row, in a decoder beside an encoder then attention over the encoder's
// row, then the MLP. Each with a residual sum, and a norm before it or after the sum, as the spec says.

#include <torch/torch.h>

#include <string>
#include <vector>

#include "autograd/executor/parameters.h"
#include "autograd/executor/placement.h"
#include "autograd/executor/staged_batch.h"
#include "autograd/ops/adapted_linear.h"
#include "autograd/ops/rotary.h"
#include "autograd/ops/row_attention.h"
#include "autograd/ops/sequence_ops.h"
#include "model/model.h"

namespace rootstock {

// What all layers of one pass share.
struct Pass {
    const StagedBatch& batch;
    const Dropout& dropout;
    RotaryAngles angles;
    std::vector<torch::Tensor> biases;       // of the scores, for each group of the batch's rows
    torch::Tensor memory;                    // the encoder's states, for a decoder
    const RowGroups* memory_rows = nullptr;  // how this batch's rows attend to them
};

class Layer {
public:
    struct Options {
        Placement placement;
        GraftPlan grafts;
        int layer = 0;
        bool decoder = false;              // a layer of the decoder beside an encoder
        bool differentiable_input = true;  // something before this layer is trained
        bool queries_apart = false;        // the last layer: its queries may be asked for picked tokens only
        bool trained_base = false;
    };

    Layer(const Model& model, const Options& options);

    // [places, width] -> [places, width]. The results carry `next_slack` for whoever reads them.
    torch::Tensor forward(const torch::Tensor& x, const Pass& pass, std::int64_t next_slack);

    // The same for each row's picked token alone: [rows, width]. Everything but keys and values runs on one token a
    // row; the numbers are those of forward(). Needs queries_apart, no biases, and a picked token that sees its whole
    // row.
    torch::Tensor forward_picked(const torch::Tensor& x, const Pass& pass, std::int64_t next_slack);

    void bind(const Parameters& parameters);
    std::int64_t input_slack() const;
    std::vector<AdaptedLinear*> linears();

private:
    torch::Tensor attend(const torch::Tensor& queries, const torch::Tensor& keys_values, const Pass& pass,
                         bool picked) const;
    torch::Tensor after_attention(const torch::Tensor& mixed, const torch::Tensor& x, const Pass& pass,
                                  std::int64_t next_slack);
    torch::Tensor attend_memory(const torch::Tensor& x, const Pass& pass);
    torch::Tensor inner_states(const torch::Tensor& x, const Dropout& dropout, Slack slack);
    // The sub-layer's input, and the residual sum behind it.
    torch::Tensor before(const torch::Tensor& x, const Norm& norm) const;
    torch::Tensor mix_heads(const torch::Tensor& mixed, const Dropout& dropout);
    WeightDropout weight_dropout(const Dropout& dropout) const;
    torch::Tensor dropped(const torch::Tensor& x, double share, const Dropout& dropout, std::uint64_t place) const;
    torch::Tensor after(const torch::Tensor& result, const torch::Tensor& x, const Norm& norm, Slack slack) const;

    Placement placement_;
    std::string prefix_;  // "layers.3."
    AttentionRules rules_;
    NormPlace norm_place_;
    Activation activation_;
    double attention_dropout_, inner_dropout_, hidden_dropout_;
    std::uint64_t first_site_;                         // of this layer's own dropout masks
    std::vector<AdaptedLinear> inputs_;                // query, key and value together; or query, then key and value
    std::vector<AdaptedLinear> from_memory_;           // cross_query; cross_key and cross_value; cross_attention_output
    AdaptedLinear attention_output_, inner_, output_;  // inner_: the gate before the inner map where there is one;
                                                       // attention_output_ has no parts where the spec has none
    Norm attention_norm_, cross_norm_, output_norm_;   // attention_norm_ may be undefined in a first layer
};

}  // namespace rootstock
