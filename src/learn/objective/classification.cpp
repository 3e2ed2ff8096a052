#include "learn/objective/classification.h"

namespace rootstock {

torch::Tensor classification_loss(const torch::Tensor& logits, const torch::Tensor& labels, double smoothing) {
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, smoothing);
}

Result<Score> evaluate_classifier(SequenceClassifier& classifier, const JobData& job,
                                  const std::vector<std::size_t>& rows) {
    constexpr std::size_t token_budget = 1024;
    torch::NoGradGuard no_gradient;
    std::vector<std::int32_t> lengths;
    for (auto row : rows) lengths.push_back(static_cast<std::int32_t>(job.rows[row].size()));
    double loss = 0;
    std::int64_t right = 0;
    for (const auto& places : plan_by_tokens(lengths, token_budget)) {
        std::vector<std::size_t> chosen;
        for (auto place : places) chosen.push_back(rows[place]);
        ROOTSTOCK_TRY(staged, job.stage(classifier, chosen));
        auto logits = classifier.logits(staged);
        auto labels = torch::tensor(job.labels(chosen), torch::kInt64).to(logits.device());
        loss += at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>();
        right += logits.argmax(1).eq(labels).sum().item<std::int64_t>();
    }
    auto count = static_cast<double>(rows.size());
    return Score{loss / count, static_cast<double>(right) / count};
}

}  // namespace rootstock
