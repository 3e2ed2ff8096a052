#include "autograd/ops/row_attention.h"

namespace rootstock {

namespace {

// [packed, heads * width] -> [rows, heads, length, width]
torch::Tensor gathered(const torch::Tensor& packed, const torch::Tensor& places, std::int64_t rows, std::int64_t length,
                       std::int64_t heads) {
    auto chosen = places.defined() ? packed.index_select(0, places) : packed.narrow(0, 0, rows * length);
    return chosen.view({rows, length, heads, -1}).transpose(1, 2);
}

// bool [queries, keys]: what a causal query may not see.
torch::Tensor hidden_keys(const RowGroup& group, const AttentionRules& rules, const torch::Device& device) {
    auto options = torch::TensorOptions().dtype(torch::kInt64).device(device);
    auto query = torch::arange(group.queries, options).view({-1, 1});
    auto key = torch::arange(group.keys, options).view({1, -1});
    auto hidden = key > query;
    if (rules.window > 0) hidden = hidden.logical_or(key <= query - rules.window);
    return hidden;
}

torch::Tensor group_attention(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                              const RowGroup& group, const AttentionRules& rules, const torch::Tensor& bias,
                              const WeightDropout& dropout) {
    // Finite, so that a place beyond its row that sees no key at all still has numbers to throw away.
    constexpr double nothing = -1e30;
    auto shared = rules.heads / rules.key_value_heads;
    auto q = gathered(queries, group.query_places, group.rows, group.queries, rules.heads);
    auto k = gathered(keys, group.key_places, group.rows, group.keys, rules.key_value_heads);
    auto v = gathered(values, group.key_places, group.rows, group.keys, rules.key_value_heads);
    // The queries that share a head's keys stand below each other: one product for all of them.
    q = q.reshape({group.rows, rules.key_value_heads, shared * group.queries, rules.head_width});
    auto scores = torch::matmul(q, k.transpose(2, 3)).to(torch::kFloat32);
    if (rules.scale != 1) scores = scores * rules.scale;
    scores = scores.view({group.rows, rules.key_value_heads, shared, group.queries, group.keys});
    if (bias.defined()) scores = scores + bias.view({rules.key_value_heads, shared, group.queries, group.keys});
    if (rules.causal) scores = scores.masked_fill(hidden_keys(group, rules, scores.device()), nothing);
    if (group.ended.defined()) scores = scores.masked_fill(group.ended, nothing);
    auto weights = torch::softmax(scores, 4).to(values.scalar_type());
    if (dropout.share > 0)
        weights = dropout.dropout->drop(dropout.site, dropout.share, weights.reshape({-1, group.keys}));
    auto mixed =
        torch::matmul(weights.view({group.rows, rules.key_value_heads, shared * group.queries, group.keys}), v);
    return mixed.view({group.rows, rules.heads, group.queries, rules.head_width})
        .transpose(1, 2)
        .reshape({group.rows * group.queries, rules.heads * rules.head_width});
}

}  // namespace

torch::Tensor row_attention(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                            const RowGroups& rows, const AttentionRules& rules,
                            const std::vector<torch::Tensor>& biases, const WeightDropout& dropout) {
    std::vector<torch::Tensor> results;
    for (std::size_t g = 0; g < rows.groups.size(); ++g)
        results.push_back(group_attention(queries, keys, values, rows.groups[g], rules,
                                          biases.empty() ? torch::Tensor() : biases[g],
                                          {dropout.dropout, dropout.share, dropout.site + g}));
    auto all = results.size() == 1 ? results.front() : torch::cat(results, 0);
    return rows.order.defined() ? all.index_select(0, rows.order) : all;
}

}  // namespace rootstock
