#include "autograd/ops/losses.h"

#include <algorithm>
#include <limits>

#include "base/base.h"

namespace rootstock {

torch::Tensor label_loss(const torch::Tensor& logits, const torch::Tensor& labels, double smoothing,
                         const torch::Tensor& class_weights) {
    auto weights =
        class_weights.defined() ? c10::optional<torch::Tensor>(class_weights) : c10::optional<torch::Tensor>();
    return at::cross_entropy_loss(logits.to(torch::kFloat32), labels, weights, at::Reduction::Mean, ignored_label,
                                  smoothing);
}

torch::Tensor number_loss(const torch::Tensor& numbers, const torch::Tensor& targets) {
    return torch::mse_loss(numbers.to(torch::kFloat32).reshape({-1}), targets.reshape({-1}));
}

std::vector<std::int64_t> next_token_labels(std::span<const std::int64_t> labels,
                                            std::span<const std::int32_t> row_offsets) {
    ROOTSTOCK_CHECK(static_cast<std::int64_t>(labels.size()) == row_offsets.back(), "every token has a label");
    std::vector<std::int64_t> next(labels.size(), ignored_label);
    for (std::size_t row = 0; row + 1 < row_offsets.size(); ++row)
        std::copy(labels.begin() + row_offsets[row] + 1, labels.begin() + row_offsets[row + 1],
                  next.begin() + row_offsets[row]);
    return next;
}

torch::Tensor span_loss(const torch::Tensor& logits, std::span<const std::int32_t> row_offsets,
                        std::span<const std::int64_t> begins, std::span<const std::int64_t> ends) {
    auto rows = static_cast<std::int64_t>(row_offsets.size()) - 1;
    std::int64_t longest = 0;
    for (std::size_t row = 0; row + 1 < row_offsets.size(); ++row)
        longest = std::max<std::int64_t>(longest, row_offsets[row + 1] - row_offsets[row]);
    std::vector<std::int64_t> places;
    for (std::int64_t row = 0; row < rows; ++row)
        for (auto i = row_offsets[static_cast<std::size_t>(row)]; i < row_offsets[static_cast<std::size_t>(row) + 1];
             ++i)
            places.push_back(row * longest + i - row_offsets[static_cast<std::size_t>(row)]);
    auto where = torch::tensor(places, torch::kInt64).to(logits.device());
    auto fp32 = logits.to(torch::kFloat32);
    auto one = [&](std::int64_t column, std::span<const std::int64_t> answers) {
        auto spread = torch::full({rows * longest}, -std::numeric_limits<float>::infinity(), fp32.options());
        spread = spread.index_copy(0, where, fp32.select(1, column)).view({rows, longest});
        std::vector<std::int64_t> labels;
        for (std::size_t row = 0; row < answers.size(); ++row) {
            bool inside = answers[row] >= 0 && answers[row] < row_offsets[row + 1] - row_offsets[row];
            labels.push_back(inside ? answers[row] : ignored_label);
        }
        return label_loss(spread, torch::tensor(labels, torch::kInt64).to(logits.device()));
    };
    return (one(0, begins) + one(1, ends)) / 2;
}

}  // namespace rootstock
