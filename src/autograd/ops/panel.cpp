#include "autograd/ops/panel.h"

#include "base/base.h"

namespace rootstock {

torch::Tensor empty_panel(std::int64_t rows, std::int64_t width, std::int64_t slack) {
    auto whole = torch::empty({rows, width + slack}, torch::kBFloat16);
    return slack == 0 ? whole : whole.narrow(1, 0, width);
}

torch::Tensor copy_to_panel(const torch::Tensor& tensor, std::int64_t slack) {
    auto panel = empty_panel(tensor.size(0), tensor.size(1), slack);
    panel.copy_(tensor);
    return panel;
}

torch::Tensor as_panel(const torch::Tensor& tensor, std::int64_t slack) {
    auto stride = tensor.size(1) + slack;
    bool fits = tensor.scalar_type() == torch::kBFloat16 && tensor.stride(1) == 1 && tensor.stride(0) == stride &&
                tensor.storage_offset() == 0 &&
                tensor.storage().nbytes() >= static_cast<std::size_t>(tensor.size(0) * stride) * sizeof(Bf16);
    return fits ? tensor : copy_to_panel(tensor, slack);
}

Matrix<Bf16> matrix_of(const torch::Tensor& tensor) {
    ROOTSTOCK_CHECK(tensor.dim() == 2 && tensor.stride(1) == 1 && tensor.scalar_type() == torch::kBFloat16,
                    "a kernel takes bfloat16 matrices with unit column stride");
    return {static_cast<Bf16*>(tensor.data_ptr()), tensor.size(0), tensor.size(1), tensor.stride(0)};
}

Matrix<Bf16> whole_panel(const torch::Tensor& tensor) {
    auto matrix = matrix_of(tensor);
    matrix.columns = matrix.stride;
    return matrix;
}

torch::Tensor as_rows(const torch::Tensor& tensor) {
    if (tensor.scalar_type() == torch::kBFloat16 && tensor.stride(1) == 1) return tensor;
    return tensor.to(torch::kBFloat16).contiguous();
}

}  // namespace rootstock
