#pragma once
// The frozen half of an AdaptedLinear: tensors for the torch route, or packed weights for the kernel route.

#include <torch/torch.h>

#include <optional>
#include <span>
#include <vector>

#include "autograd/kernels/matmul.h"
#include "autograd/ops/adapted_linear.h"

namespace rootstock {

struct AdaptedLinear::Frozen {
    // torch route
    torch::Tensor weight, bias;  // [out, in], [out] or undefined

    // kernel route: x W^T over [in + R] rows, dy W over [out + R] rows, and the low-rank matrices as they are staged
    std::optional<PackedWeights> forward, backward;
    std::vector<float> bias_values;
    std::vector<Bf16> a, scaled_b;  // [R, in]; [rank_i, out_i] one after another

    const float* bias_or_null() const { return bias_values.empty() ? nullptr : bias_values.data(); }
};

// Tensor over a host tensor's own memory where it is fp32 already, else a converted copy.
torch::Tensor host_view(const HostTensor& tensor);

// The maps' weights below each other, in fp32: [sum of outs, in].
std::vector<float> stacked_weights(const Model& model, const std::vector<LinearMap>& maps);
// Likewise; empty when the maps have none. Maps that read the same input all have a bias, or none has.
std::vector<float> stacked_biases(const Model& model, const std::vector<LinearMap>& maps);

// Row-major [rows, columns] -> [columns, rows].
std::vector<float> transposed(std::span<const float> values, std::int64_t rows, std::int64_t columns);

}  // namespace rootstock
