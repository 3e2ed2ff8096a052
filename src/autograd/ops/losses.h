#pragma once
// What models are trained for. Logits are fp32 or become it; places that carry `ignored_label` count neither in a sum
// nor in a mean.

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

namespace rootstock {

constexpr std::int64_t ignored_label = -100;

// Mean cross-entropy of logits [n, classes] over the labels [n] that are not ignored; a share `smoothing` of each
// target is spread over all classes. With `class_weights` [classes] a weighted mean: a row counts as its class does.
torch::Tensor label_loss(const torch::Tensor& logits, const torch::Tensor& labels, double smoothing = 0,
                         const torch::Tensor& class_weights = {});

// Mean squared error of n numbers.
torch::Tensor number_loss(const torch::Tensor& numbers, const torch::Tensor& targets);

// What a causal model should say at each token: the label of its row's next one, and nothing at a row's end. `labels`
// stand at their own tokens, as tokens do: [tokens].
std::vector<std::int64_t> next_token_labels(std::span<const std::int64_t> labels,
                                            std::span<const std::int32_t> row_offsets);

// Begin and end of an answer: logits [tokens, 2]; `begins` and `ends` [rows] count within each row, and one outside its
// row is ignored. The mean of both cross-entropies, each over the tokens of its own row.
torch::Tensor span_loss(const torch::Tensor& logits, std::span<const std::int32_t> row_offsets,
                        std::span<const std::int64_t> begins, std::span<const std::int64_t> ends);

}  // namespace rootstock
