#pragma once
// What stands on a transformer's last states, as the reference models have it:
//
//   sequence   head(pooler_activation(pooler(picked state)))    [rows, classes]; without pooler head(picked state);
//              with a dense map of the head's own that one in the pooler's place.
//              With `relu` the state is max(state, 0) (a table's rows).
//              With a distillation token the mean of its own classifier and the class token's (DeiT).
//   token      head(state)                                      [tokens, classes]
//   span       head(state)                                      [tokens, 2]: begins here, ends here
//   masked_lm  head(norm(activation(transform(state))))         [tokens, vocabulary]
//   causal_lm  head(scale state)                                [tokens, vocabulary]
//
// Logits are fp32. A tied head's weight is the token table.

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "autograd/executor/transformer.h"

namespace rootstock {

class ModelHead {
public:
    // `fresh`: the model's own head, if it has one, is left aside; the parameters begin at zero.
    ModelHead(const Model& model, const HeadSpec& head, const Placement& placement, const Tuning& tuning, bool fresh);

    torch::Tensor logits(Transformer& transformer, const StagedBatch& batch, const Dropout& dropout);

    const HeadSpec& spec() const { return head_; }
    const torch::Tensor& weight() const { return weight_; }  // undefined: tied
    void bind(const Parameters& parameters);
    AdaptedLinear* pooler() const { return pooler_.get(); }  // null: the model has none

private:
    torch::Tensor sequence_logits(Transformer& transformer, const StagedBatch& batch, const Dropout& dropout);
    torch::Tensor mapped(const torch::Tensor& states, const torch::Tensor& weight, const torch::Tensor& bias) const;

    HeadSpec head_;
    Placement placement_;
    Activation activation_, pooler_activation_;
    std::unique_ptr<AdaptedLinear> pooler_;
    torch::Tensor weight_, bias_, dense_weight_, dense_bias_, distillation_weight_, distillation_bias_,
        transform_weight_, transform_bias_;
    Norm norm_;
};

}  // namespace rootstock
