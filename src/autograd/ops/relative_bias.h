#pragma once
// Order as a bias of attention (Raffel et al., 2020): each distance from a query to a key falls into a bucket, and each
// bucket has a number per head that is added to the score.

#include <torch/torch.h>

#include <vector>

#include "autograd/ops/row_groups.h"
#include "model/model.h"

namespace rootstock {

// table [buckets, heads] -> for each group [heads, queries, keys].
std::vector<torch::Tensor> relative_biases(const torch::Tensor& table, const RowGroups& rows,
                                           const RelativeBuckets& relative, bool both_ways);

}  // namespace rootstock
