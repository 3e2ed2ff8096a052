#include "autograd/ops/relative_bias.h"

namespace rootstock {

namespace {

torch::Tensor bucket_indices(const RowGroup& group, const RelativeBuckets& relative, bool both_ways) {
    std::vector<std::int64_t> indices;
    indices.reserve(static_cast<std::size_t>(group.queries * group.keys));
    for (std::int64_t query = 0; query < group.queries; ++query)
        for (std::int64_t key = 0; key < group.keys; ++key)
            indices.push_back(relative_bucket(relative, static_cast<int>(key - query), both_ways));
    return torch::tensor(indices, torch::kInt64);
}

}  // namespace

std::vector<torch::Tensor> relative_biases(const torch::Tensor& table, const RowGroups& rows,
                                           const RelativeBuckets& relative, bool both_ways) {
    std::vector<torch::Tensor> biases;
    for (const auto& group : rows.groups) {
        auto indices = bucket_indices(group, relative, both_ways).to(table.device());
        biases.push_back(table.index_select(0, indices).t().reshape({table.size(1), group.queries, group.keys}));
    }
    return biases;
}

}  // namespace rootstock
