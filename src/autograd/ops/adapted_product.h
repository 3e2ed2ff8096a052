#pragma once
// The kernel route of an AdaptedLinear as one differentiable function of x, A and B.
//
//   forward   low = drop(x) A^T into x's slack       y = [x | low] [W | scale B]^T + b
//   backward  dlow = dy (scale B) into dy's slack    dx = [dy | dlow] [W ; A]
//             dA = dlow^T drop(x)                    dB^T = scale low^T dy
//
// W gets no gradient; dx is left out where nothing before needs it.

#include <torch/torch.h>

#include "autograd/ops/adapted_linear.h"

namespace rootstock {

// `mask` undefined: no dropout. `a` and `b` undefined: no low-rank update. `linear` must outlive the backward pass.
torch::Tensor adapted_product(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                              const torch::Tensor& mask, const AdaptedLinear& linear, bool owns_slack);

}  // namespace rootstock
