#include "learn/classify/classify_learner.h"

#include <algorithm>

namespace rootstock {

namespace {

constexpr std::size_t self_tests_max = 8;

// Texts from all over the held-out rows (or the training rows when none are held out), which are sorted by place in the
// file and so, usually, by label.
std::vector<std::size_t> choose_self_tests(const ClassifyRows& rows) {
    const auto& from = rows.held_out.empty() ? rows.train : rows.held_out;
    std::vector<std::size_t> chosen;
    auto count = std::min(from.size(), self_tests_max);
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(from[i * from.size() / count]);
    return chosen;
}

std::int64_t right_ones(const torch::Tensor& logits, const torch::Tensor& labels) {
    return logits.argmax(1).eq(labels).sum().item<std::int64_t>();
}

}  // namespace

Result<std::unique_ptr<Learner>> ClassifyLearner::create(Job job) {
    ROOTSTOCK_TRY(model, load_base(job.spec));
    ROOTSTOCK_TRY(rows, load_classify_rows(job, model.spec));
    auto placement = choose_placement(model.spec, job.spec.train.bf16);
    ROOTSTOCK_TRY(classifier, SequenceClassifier::create(model, job.spec.lora, static_cast<int>(job.spec.labels.size()),
                                                         job.spec.train.seed, placement));
    model.weights.release_pages();
    return std::unique_ptr<Learner>(
        new ClassifyLearner(std::move(job), std::move(rows), std::move(model), std::move(classifier)));
}

ClassifyLearner::ClassifyLearner(Job job, ClassifyRows rows, Model model,
                                 std::unique_ptr<SequenceClassifier> classifier)
    : Learner(std::move(job)), rows_(std::move(rows)), model_(std::move(model)), classifier_(std::move(classifier)) {}

json::object ClassifyLearner::facts() const {
    return {{"tokens", rows_.tokens()},
            {"truncated", rows_.truncated},
            {"parameters", model_.weights.parameters()},
            {"labels", job().spec.labels.size()},
            {"device", classifier_->transformer().placement().description()}};
}

torch::Tensor ClassifyLearner::labels(const std::vector<std::size_t>& chosen) const {
    return torch::tensor(rows_.labels(chosen), torch::kInt64).to(classifier_->parameters().values().device());
}

Result<Lesson> ClassifyLearner::learn(const std::vector<std::size_t>& rows, const Dropout& dropout) {
    std::vector<std::size_t> chosen;
    for (auto row : rows) chosen.push_back(rows_.train[row]);
    ROOTSTOCK_TRY(staged, rows_.stage(*classifier_, chosen));
    auto logits = classifier_->logits(staged, dropout);
    auto targets = labels(chosen);
    auto loss = label_loss(logits, targets, job().spec.train.label_smoothing);
    loss.backward();
    auto count = static_cast<double>(chosen.size());
    return Lesson{loss.item<double>(), static_cast<double>(right_ones(logits, targets)) / count, count,
                  rows_.tokens_of(chosen)};
}

Result<Score> ClassifyLearner::evaluate() {
    constexpr std::size_t token_budget = 1024;
    torch::NoGradGuard no_gradient;
    std::vector<std::int32_t> lengths;
    for (auto row : rows_.held_out) lengths.push_back(static_cast<std::int32_t>(rows_.rows[row].size()));
    double loss = 0;
    std::int64_t right = 0;
    for (const auto& places : plan_by_tokens(lengths, token_budget)) {
        std::vector<std::size_t> chosen;
        for (auto place : places) chosen.push_back(rows_.held_out[place]);
        ROOTSTOCK_TRY(staged, rows_.stage(*classifier_, chosen));
        auto logits = classifier_->logits(staged);
        loss += at::cross_entropy_loss(logits, labels(chosen), {}, at::Reduction::Sum).item<double>();
        right += right_ones(logits, labels(chosen));
    }
    auto count = static_cast<double>(rows_.held_out.size());
    return Score{loss / count, static_cast<double>(right) / count};
}

Result<std::vector<SelfTest>> ClassifyLearner::answer_self_tests(const Adapter& adapter) const {
    ROOTSTOCK_TRY(reference, SequenceClassifier::restore(model_, adapter, reference_placement()));
    torch::NoGradGuard no_gradient;
    std::vector<SelfTest> tests;
    const auto answer = [&](const StagedBatch& staged, SelfTest test) {
        auto logits = reference->logits(staged).contiguous();
        const auto* values = logits.data_ptr<float>();
        test.logits = {values, values + logits.numel()};
        tests.push_back(std::move(test));
    };
    for (std::int64_t number = 0; rows_.pictures && number < static_cast<std::int64_t>(self_tests_max); ++number) {
        ROOTSTOCK_TRY(staged, reference->stage_images(made_up_picture(model_.spec, number)));
        answer(staged, {.text = {}, .ids = {}, .logits = {}, .picture = number});
    }
    if (rows_.pictures) return tests;
    for (auto row : choose_self_tests(rows_)) {
        ROOTSTOCK_TRY(staged, rows_.stage(*reference, {row}));
        answer(staged, {.text = rows_.examples[row].text, .ids = rows_.rows[row], .logits = {}});
    }
    return tests;
}

Result<void> ClassifyLearner::publish(const TrainingProgress& progress) {
    const auto& spec = job().spec;
    auto adapter = classifier_->to_adapter(spec.lora);
    adapter.task = spec.task;
    adapter.labels = spec.labels;
    adapter.base_digest = spec.base_digest;
    adapter.base_name = std::filesystem::path(spec.base_folder).filename().string();
    adapter.max_tokens = rows_.max_tokens;
    adapter.lineage = lineage_of(*this, progress);
    ROOTSTOCK_TRY(self_tests, answer_self_tests(adapter));
    adapter.self_tests = std::move(self_tests);
    return save_adapter(job().folder / "adapter", adapter, model_.spec);
}

}  // namespace rootstock
