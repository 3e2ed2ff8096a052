#pragma once
// One layer of a post-norm encoder (BERT): attention and MLP, each followed by residual sum and norm.

#include <torch/torch.h>

#include <vector>

#include "autograd/executor/placement.h"
#include "autograd/executor/staged_batch.h"
#include "autograd/ops/adapted_linear.h"
#include "autograd/ops/sequence_ops.h"
#include "model/model.h"

namespace rootstock {

class EncoderLayer {
public:
    struct Options {
        Placement placement;
        GraftPlan grafts;
        int layer = 0;
        bool differentiable_input = true;  // something before this layer is trained
        bool queries_apart = false;        // the last layer: its queries may be asked for first tokens only
    };

    EncoderLayer(const Model& model, const Options& options);

    // [places, width] -> [places, width]. The results carry `next_slack` for whoever reads them.
    torch::Tensor forward(const torch::Tensor& x, const StagedBatch& batch, const Dropout& dropout,
                          std::int64_t next_slack);

    // The same for each row's first token alone: [rows, width]. Everything but keys and values runs on one token a row;
    // the numbers are those of forward(). Needs queries_apart.
    torch::Tensor forward_first(const torch::Tensor& x, const StagedBatch& batch, const Dropout& dropout,
                                std::int64_t next_slack);

    std::int64_t input_slack() const;
    std::vector<AdaptedLinear*> linears();

private:
    torch::Tensor after_attention(const torch::Tensor& mixed, const torch::Tensor& x, const Dropout& dropout,
                                  std::int64_t next_slack);

    Placement placement_;
    AttentionShape attention_;
    std::vector<AdaptedLinear> inputs_;  // query, key and value together; or query, then key and value
    AdaptedLinear attention_output_, inner_, output_;
    Norm attention_norm_, output_norm_;
};

Norm load_norm(const Model& model, const std::string& name, const Placement& placement);

}  // namespace rootstock
