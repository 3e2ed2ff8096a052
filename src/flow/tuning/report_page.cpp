#include "flow/tuning/report_page.h"

#include <cstdio>

namespace rootstock {
namespace {

constexpr std::size_t mistakes_max = 20;

std::string as_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string joined(const std::vector<std::string>& words, const char* when_empty) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? when_empty : text;
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::vector<ReportFact> settings_of(const TuningPlan& plan) {
    const auto& train = plan.train;
    double head_rate = train.head_learning_rate > 0 ? train.head_learning_rate : train.learning_rate;
    return {{"base model", plan.base_name},
            {"LoRA rank", std::to_string(plan.lora.rank)},
            {"LoRA alpha", as_text(plan.lora.alpha)},
            {"LoRA dropout", as_text(plan.lora.dropout)},
            {"LoRA targets", joined(plan.lora.targets, "all linear maps")},
            {"epochs at most", std::to_string(train.epochs)},
            {"examples a step", std::to_string(train.batch_examples)},
            {"learning rate", as_text(train.learning_rate)},
            {"learning rate of the head", as_text(head_rate)},
            {"weight decay", as_text(train.weight_decay)},
            {"warm-up share", as_text(train.warmup)},
            {"validation share", as_text(train.validation)},
            {"patience", std::to_string(train.patience)},
            {"longest text in tokens", std::to_string(train.max_tokens)},
            {"matrix products", train.bf16 ? "bf16" : "fp32"},
            {"seed", std::to_string(train.seed)}};
}

void add_number(std::vector<ReportFact>& facts, const json::object& done, std::string_view key, const char* name,
                double scale = 1, const char* unit = "") {
    const auto* value = done.if_contains(key);
    if (!value || !value->is_number()) return;
    char text[48];
    std::snprintf(text, sizeof text, "%.4g%s", value->to_number<double>() * scale, unit);
    facts.push_back({name, text});
}

std::vector<ReportFact> lineage_of(const TuningJob& job, const MeasuredRows& rows, const json::object& done,
                                   const std::string& executor) {
    const auto& plan = job.plan;
    std::vector<ReportFact> facts{{"job", job.id.text()},
                                  {"tuned on", file_name(plan.data_source)},
                                  {"SHA-256 of the tuning file", plan.dataset_digest},
                                  {"text column", plan.text_column},
                                  {"label column", plan.label_column},
                                  {"measured on", rows.source}};
    if (!plan.eval_digest.empty()) facts.push_back({"SHA-256 of the measuring file", plan.eval_digest});
    facts.push_back({"base digest", plan.base_digest});
    facts.push_back({"measured with", executor});
    add_number(facts, done, "epoch", "epochs run");
    add_number(facts, done, "train_seconds", "seconds of training");
    add_number(facts, done, "examples_per_s", "training examples per second");
    add_number(facts, done, "peak_rss_bytes", "peak memory of the learner", 1e-6, " MB");
    add_number(facts, done, "best_accuracy", "best validation accuracy");
    return facts;
}

std::vector<std::int32_t> truth_of(const MeasuredRows& rows) {
    std::vector<std::int32_t> truth;
    for (const auto& example : rows.examples) truth.push_back(example.label);
    return truth;
}

std::vector<ReportMistake> mistakes_of(const MeasuredRows& rows, std::span<const std::int32_t> truth,
                                       std::span<const float> probabilities, const std::vector<std::string>& labels) {
    std::vector<ReportMistake> mistakes;
    for (auto i : confident_mistakes(truth, probabilities, labels.size(), mistakes_max)) {
        auto row = probabilities.subspan(i * labels.size(), labels.size());
        auto best = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
        const auto& example = rows.examples[i];
        mistakes.push_back(
            {example.row, example.text, labels[static_cast<std::size_t>(example.label)], labels[best], row[best]});
    }
    return mistakes;
}

}  // namespace

Result<MeasuredRows> measured_rows(const TuningJob& job) {
    auto classes = static_cast<std::int32_t>(job.labels.size());
    if (!job.plan.eval_source.empty()) {
        ROOTSTOCK_TRY(examples, read_training_rows(eval_file(job.folder), classes));
        return MeasuredRows{std::move(examples), file_name(job.plan.eval_source), job.plan.eval_kept_aside};
    }
    ROOTSTOCK_TRY(all, read_training_rows(rows_file(job.folder), classes));
    MeasuredRows rows{{}, "validation rows of " + file_name(job.plan.data_source), job.plan.kept_aside};
    for (auto i : split_stratified(all, job.plan.train.validation, job.plan.train.seed).held_out)
        rows.examples.push_back(all[i]);
    return rows;
}

Result<EvaluationPage> make_page(const TuningJob& job, const MeasuredRows& rows, const Bench::Answers& answers,
                                 const json::object& done, const std::string& executor) {
    auto truth = truth_of(rows);
    ROOTSTOCK_TRY(report, measure_classification(job.labels, truth, answers.probabilities));
    auto curves = read_curves(job.folder);
    EvaluationPage page;
    page.title = job.plan.name;
    page.report = std::move(report);
    page.loss = std::move(curves.loss);
    page.accuracy = std::move(curves.accuracy);
    page.settings = settings_of(job.plan);
    page.lineage = lineage_of(job, rows, done, executor);
    page.truncated = answers.truncated;
    page.kept_aside = job.plan.kept_aside + job.plan.eval_kept_aside;
    page.mistakes = mistakes_of(rows, truth, answers.probabilities, job.labels);
    return page;
}

json::value summary_json(const ClassificationReport& report, const MeasuredRows& rows) {
    return json::object{{"measured_on", rows.source},
                        {"examples", report.examples},
                        {"accuracy", report.accuracy},
                        {"macro_f1", report.macro.f1},
                        {"weighted_f1", report.weighted.f1},
                        {"log_loss", report.log_loss},
                        {"calibration_error", report.calibration_error}};
}

}  // namespace rootstock
