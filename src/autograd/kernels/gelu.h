#pragma once
// GELU (Hendrycks and Gimpel, 2016): x Phi(x), Phi the normal distribution, with the exact erf.

#include "autograd/kernels/matrix.h"

namespace rootstock {

// result = gelu(input); slope = the derivative at each input, when `slope.data` is not null. Same sizes; columns are a
// multiple of 16.
void gelu_forward(Matrix<const Bf16> input, Matrix<Bf16> result, Matrix<Bf16> slope);

// result = gradient * slope.
void gelu_backward(Matrix<const Bf16> gradient, Matrix<const Bf16> slope, Matrix<Bf16> result);

}  // namespace rootstock
