#pragma once
// Where and in which precision a model runs.

#include <torch/torch.h>

#include <string>

#include "base/base.h"
#include "model/model.h"

namespace rootstock {

enum class Route {
    kernels,          // everything in our own kernels
    packed_products,  // linear maps in our own packed bfloat16 products, the rest in libtorch's operations on fp32
    torch_ops
};

struct Placement {
    torch::Device device = torch::kCPU;
    torch::ScalarType type = torch::kFloat32;  // of products and activations; sums, norms and softmax are fp32
    Route route = Route::torch_ops;

    bool kernels() const { return route == Route::kernels; }
    bool packed() const { return route != Route::torch_ops; }
    // The residual stream's: what layers add to.
    torch::ScalarType stream() const { return route == Route::packed_products ? torch::kFloat32 : type; }
    std::string description() const;  // "cpu, bfloat16, own kernels"
};

// The first GPU that libtorch sees, else the CPU. `bf16` on a CPU without the instructions becomes fp32, and so it does
// for models of images or with a decoder beside an encoder. Our kernels run encoders of BERT's shape; other models of
// tokens get packed products.
Placement choose_placement(const TransformerSpec& spec, bool bf16);

// fp32 on the CPU: the reference that self-tests are written with.
Placement reference_placement();

}  // namespace rootstock
