#include "flow/tuning/classify_report.h"

#include <algorithm>

#include "flow/tuning/report_facts.h"

namespace rootstock {
namespace {

constexpr std::size_t mistakes_max = 20;

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

class ClassifyReport final : public TuningReport {
public:
    ClassifyReport(EvaluationPage page, std::string measured_on)
        : page_(std::move(page)), measured_on_(std::move(measured_on)) {}

    void set_title(const std::string& title) override { page_.title = title; }
    json::value as_json() const override { return rootstock::to_json(page_); }
    std::string as_html() const override { return rootstock::to_html(page_); }
    std::string as_text() const override { return rootstock::to_terminal(page_.report); }
    json::value metrics() const override {
        const auto& report = page_.report;
        return json::object{{"measured_on", measured_on_},
                            {"examples", report.examples},
                            {"accuracy", report.accuracy},
                            {"macro_f1", report.macro.f1},
                            {"weighted_f1", report.weighted.f1},
                            {"log_loss", report.log_loss},
                            {"calibration_error", report.calibration_error},
                            {"roc_auc", report.roc_auc ? json::value(*report.roc_auc) : json::value(nullptr)}};
    }

private:
    EvaluationPage page_;
    std::string measured_on_;
};

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

Result<std::unique_ptr<TuningReport>> classify_report(const TuningJob& job, const MeasuredRows& rows,
                                                      const Bench::Answers& answers, const json::object& done,
                                                      const std::string& executor) {
    auto truth = truth_of(rows);
    ROOTSTOCK_TRY(report, measure_classification(job.labels, truth, answers.probabilities));
    auto curves = read_curves(job.folder);
    EvaluationPage page;
    page.title = job.plan.name;
    page.report = std::move(report);
    page.loss = std::move(curves.loss);
    page.accuracy = std::move(curves.accuracy);
    page.settings = settings_facts(job.plan);
    page.lineage = lineage_facts(job, rows.source, done, executor);
    page.truncated = answers.truncated;
    page.kept_aside = job.plan.kept_aside + job.plan.eval_kept_aside;
    page.mistakes = mistakes_of(rows, truth, answers.probabilities, job.labels);
    return std::make_unique<ClassifyReport>(std::move(page), rows.source);
}

}  // namespace rootstock
