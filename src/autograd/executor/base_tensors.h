#pragma once
// The base model's tensors as the executor's parts take them: frozen, in place where they can be, or trained with all
// the rest.

#include <torch/torch.h>

#include <string>

#include "autograd/executor/parameters.h"
#include "autograd/executor/placement.h"
#include "autograd/ops/sequence_ops.h"
#include "model/model.h"

namespace rootstock {

// On the placement's device, in fp32, without gradient.
torch::Tensor load_tensor(const Model& model, const std::string& name, const Placement& placement);

// "<name>.weight" and "<name>.bias".
Norm load_norm(const Model& model, const std::string& name, const Placement& placement);

// Takes the tensor of this name from the parameters where it is one of them: trained from now on.
void rebind(torch::Tensor& tensor, const std::string& name, const Parameters& parameters);
void rebind(Norm& norm, const std::string& name, const Parameters& parameters);

}  // namespace rootstock
