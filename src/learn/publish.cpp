#include "learn/publish.h"

namespace rootstock {

namespace {

constexpr std::size_t self_tests_max = 8;

// Texts from all over the held-out rows (or the training rows when none are held out), which are sorted by place in the
// file and so, usually, by label.
std::vector<std::size_t> choose_self_tests(const JobData& job) {
    const auto& rows = job.held_out.empty() ? job.train : job.held_out;
    std::vector<std::size_t> chosen;
    auto count = std::min(rows.size(), self_tests_max);
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(rows[i * rows.size() / count]);
    return chosen;
}

Result<std::vector<SelfTest>> answer_self_tests(const JobData& job, const Adapter& adapter) {
    ROOTSTOCK_TRY(reference, SequenceClassifier::restore(job.model, adapter, reference_placement()));
    torch::NoGradGuard no_gradient;
    std::vector<SelfTest> tests;
    const auto answer = [&](const StagedBatch& staged, SelfTest test) {
        auto logits = reference->logits(staged).contiguous();
        const auto* values = logits.data_ptr<float>();
        test.logits = {values, values + logits.numel()};
        tests.push_back(std::move(test));
    };
    for (std::int64_t number = 0; job.pictures && number < static_cast<std::int64_t>(self_tests_max); ++number) {
        ROOTSTOCK_TRY(staged, reference->stage_images(made_up_picture(job.model.spec, number)));
        answer(staged, {.text = {}, .ids = {}, .logits = {}, .picture = number});
    }
    if (job.pictures) return tests;
    for (auto row : choose_self_tests(job)) {
        ROOTSTOCK_TRY(staged, job.stage(*reference, {row}));
        answer(staged, {.text = job.examples[row].text, .ids = job.rows[row], .logits = {}});
    }
    return tests;
}

json::object lineage(const JobData& job, const TrainingProgress& progress) {
    json::object lineage{{"job_digest", job.digest},
                         {"lora", to_json(job.spec.lora)},
                         {"train", to_json(job.spec.train)},
                         {"training_rows", job.train.size()},
                         {"validation_rows", job.held_out.size()},
                         {"steps", progress.step},
                         {"epochs", progress.epoch}};
    if (progress.has_best) {
        lineage["best_epoch"] = progress.best_epoch;
        lineage["validation_accuracy"] = progress.best.accuracy;
        lineage["validation_loss"] = progress.best.loss;
    }
    return lineage;
}

}  // namespace

Result<void> publish_adapter(const JobData& job, const SequenceClassifier& classifier,
                             const TrainingProgress& progress) {
    auto folder = job.folder / "adapter";
    if (std::filesystem::exists(folder)) return {};
    auto adapter = classifier.to_adapter(job.spec.lora);
    adapter.task = job.spec.task;
    adapter.labels = job.spec.labels;
    adapter.base_digest = job.spec.base_digest;
    adapter.base_name = std::filesystem::path(job.spec.base_folder).filename().string();
    adapter.max_tokens = job.max_tokens;
    adapter.lineage = lineage(job, progress);
    ROOTSTOCK_TRY(self_tests, answer_self_tests(job, adapter));
    adapter.self_tests = std::move(self_tests);
    return save_adapter(folder, adapter, job.model.spec);
}

}  // namespace rootstock
