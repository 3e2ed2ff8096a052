#pragma once
// Activations of the kernel route: bfloat16 matrices whose rows may carry a few more columns than the tensor shows.
//
//   storage  [ width | slack ]    tensor [rows, width], stride width + slack
//
// The slack belongs to the linear map that reads the matrix next. It writes its low-rank products there, and one matrix
// product over width + slack columns computes W x + B A x without a second pass over the result.

#include <torch/torch.h>
#include <torch/version.h>

#include <cstdint>
#include <optional>

#include "autograd/kernels/matrix.h"

namespace rootstock {

// Uninitialised [rows, width] with `slack` hidden columns.
torch::Tensor empty_panel(std::int64_t rows, std::int64_t width, std::int64_t slack);

// `tensor` itself when it is a panel of this slack, else a copy that is one.
torch::Tensor as_panel(const torch::Tensor& tensor, std::int64_t slack);
torch::Tensor copy_to_panel(const torch::Tensor& tensor, std::int64_t slack);

// The visible matrix, and the one with the slack.
Matrix<Bf16> matrix_of(const torch::Tensor& tensor);
Matrix<Bf16> whole_panel(const torch::Tensor& tensor);

// A bfloat16 matrix with unit column stride: `tensor` itself if it is one, else a copy.
torch::Tensor as_rows(const torch::Tensor& tensor);

// libtorch's custom functions refuse undefined tensors as arguments but take absent ones. Its own optional of 1.13
// became the standard one in 2.x.
#if TORCH_VERSION_MAJOR >= 2
using OptionalTensor = std::optional<torch::Tensor>;
#else
using OptionalTensor = c10::optional<torch::Tensor>;
#endif
inline OptionalTensor if_defined(const torch::Tensor& tensor) {
    return tensor.defined() ? OptionalTensor(tensor) : OptionalTensor();
}
inline torch::Tensor or_undefined(const OptionalTensor& tensor) {
    return tensor.has_value() ? *tensor : torch::Tensor();
}

}  // namespace rootstock
