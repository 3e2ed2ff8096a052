#include "autograd/executor/placement.h"

#include "autograd/kernels/matmul.h"

namespace rootstock {

std::string Placement::description() const {
    std::string text = device.str();
    text += type == torch::kBFloat16 ? ", bfloat16" : ", fp32";
    return text + (kernels() ? ", own kernels" : ", libtorch operations");
}

Placement choose_placement(const TransformerSpec& spec, bool bf16) {
    if (torch::cuda::is_available())
        return {torch::Device(torch::kCUDA, 0), bf16 ? torch::kBFloat16 : torch::kFloat32, Route::torch_ops};
    bool fits = spec.width % 16 == 0 && spec.inner % 16 == 0 && spec.head_width % 2 == 0;
    if (bf16 && fits && bf16_products_available()) return {torch::kCPU, torch::kBFloat16, Route::kernels};
    return reference_placement();
}

Placement reference_placement() { return {torch::kCPU, torch::kFloat32, Route::torch_ops}; }

}  // namespace rootstock
