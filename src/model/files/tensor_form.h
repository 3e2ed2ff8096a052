#pragma once
// From the form in which a family's files hold a tensor to ours.

#include <optional>
#include <span>

#include "model/families/family.h"
#include "model/files/host_tensor.h"

namespace rootstock {

// The tensor with shape `wanted`: the same bytes where the form allows it (a convolution [out, channel, row, column]
// as [out, in], a table [1, n, width] as [n, width], a piece of neighbouring rows), a copy where it was transposed.
// Nothing when the shapes do not go together.
std::optional<HostTensor> in_our_form(const HostTensor& tensor, TensorForm form, std::span<const std::int64_t> wanted);

}  // namespace rootstock
