#pragma once
// Rotary positions (Su et al., 2021) on packed tokens: number i of a head turns with number i + width/2 by the angle
// position x frequency i.

#include <torch/torch.h>

#include "autograd/executor/staged_batch.h"
#include "model/model.h"

namespace rootstock {

struct RotaryAngles {
    torch::Tensor cosines, sines;  // fp32 [tokens, 1, width / 2]; undefined: the model does not rotate

    bool defined() const { return cosines.defined(); }
    RotaryAngles at(const torch::Tensor& tokens) const;  // of these tokens alone
};

// Undefined for a spec without rotary positions. Rows are apart: with `dynamic` scaling each row's own length counts.
RotaryAngles rotary_angles(const TransformerSpec& spec, const StagedBatch& batch);

// x [tokens, heads * head_width]
torch::Tensor rotate(const torch::Tensor& x, const RotaryAngles& angles, std::int64_t head_width);

}  // namespace rootstock
