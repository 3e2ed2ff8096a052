#pragma once
// Where and in which precision a model runs.

#include <torch/torch.h>

#include <string>

#include "base/base.h"
#include "model/model.h"

namespace rootstock {

enum class Route { kernels, torch_ops };

struct Placement {
    torch::Device device = torch::kCPU;
    torch::ScalarType type = torch::kFloat32;  // of products and activations; sums, norms and softmax are fp32
    Route route = Route::torch_ops;

    bool kernels() const { return route == Route::kernels; }
    std::string description() const;  // "cpu, bfloat16, own kernels"
};

// The first GPU that libtorch sees, else the CPU. `bf16` on a CPU without the instructions, or for a spec that our
// kernels do not run (they take encoders of BERT's shape), becomes fp32.
Placement choose_placement(const TransformerSpec& spec, bool bf16);

// fp32 on the CPU: the reference that self-tests are written with.
Placement reference_placement();

}  // namespace rootstock
