// Classification: a table with a text and a label column; measured by its report on rows that were not learned from.

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "data/data.h"
#include "flow/tuning/classify_report.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

class ClassifyRows final : public TaskRows {
public:
    ClassifyRows(TextDataset train, std::optional<TextDataset> eval)
        : train_(std::move(train)), eval_(std::move(eval)) {}

    std::vector<std::string> labels() const override { return train_.labels; }
    void describe(TuningPlan& plan) const override;
    void summarise(PreparedJob& summary) const override;
    Result<void> write(const fs::path& job_folder) const override;

private:
    std::size_t rows_in_both() const;

    TextDataset train_;
    std::optional<TextDataset> eval_;
};

void ClassifyRows::describe(TuningPlan& plan) const {
    plan.dataset_digest = train_.digest;
    plan.text_column = train_.text_column;
    plan.label_column = train_.label_column;
    plan.rows = train_.rows;
    plan.kept_aside = static_cast<std::int64_t>(train_.problems.size());
    if (!eval_) return;
    plan.eval_digest = eval_->digest;
    plan.eval_kept_aside = static_cast<std::int64_t>(eval_->problems.size());
}

// What was learned from proves nothing when measured with.
std::size_t ClassifyRows::rows_in_both() const {
    std::unordered_set<std::string_view> learned;
    for (const auto& example : train_.examples) learned.insert(example.text);
    return static_cast<std::size_t>(std::ranges::count_if(
        eval_->examples, [&](const TextExample& example) { return learned.contains(example.text); }));
}

void ClassifyRows::summarise(PreparedJob& summary) const {
    summary.examples = static_cast<std::int64_t>(train_.examples.size());
    summary.duplicates = train_.duplicates;
    summary.warnings = train_.warnings;
    if (!eval_) return;
    summary.eval_examples = static_cast<std::int64_t>(eval_->examples.size());
    summary.warnings.insert(summary.warnings.end(), eval_->warnings.begin(), eval_->warnings.end());
    if (auto both = rows_in_both(); both > 0)
        summary.warnings.push_back(format_count(both) + " of the rows to measure with " +
                                   (both == 1 ? "has its text" : "have their texts") + " among those to learn from");
}

Result<void> ClassifyRows::write(const fs::path& folder) const {
    ROOTSTOCK_CHECKED(write_training_rows(rows_file(folder), train_.examples));
    ROOTSTOCK_CHECKED(write_problems(problems_file(folder), train_.problems));
    if (!eval_) return {};
    ROOTSTOCK_CHECKED(write_training_rows(eval_file(folder), eval_->examples));
    return write_problems(eval_problems_file(folder), eval_->problems);
}

// Validation rows there must be when nothing else measures.
Result<void> check_validation(const FinetuneOrder& order, const TextDataset& rows) {
    auto split = split_stratified(rows.examples, order.train.validation, order.train.seed);
    if (!split.held_out.empty()) return {};
    return fail(ErrorCode::invalid_argument,
                order.data.string() + " has too few rows (" + format_count(rows.examples.size()) +
                    ") to hold some out for measuring; give --eval FILE, a larger --validation share, or more rows",
                "data", "too_few_rows");
}

Result<std::unique_ptr<TaskRows>> read(const FinetuneOrder& order, const fs::path&, const Model&) {
    ROOTSTOCK_TRY(train, read_labelled_texts(order.data, {order.text_column, order.label_column, {}, {}}));
    std::optional<TextDataset> eval;
    if (order.eval.empty()) {
        ROOTSTOCK_CHECKED(check_validation(order, train));
    } else {
        ROOTSTOCK_TRY(rows, read_labelled_texts(order.eval, {train.text_column, train.label_column, train.labels, {}}));
        eval = std::move(rows);
    }
    return std::make_unique<ClassifyRows>(std::move(train), std::move(eval));
}

Result<std::unique_ptr<TaskRows>> read_pictures(const FinetuneOrder& order, const fs::path&, const Model&) {
    ROOTSTOCK_TRY(train, read_labelled_images(order.data));
    std::optional<TextDataset> eval;
    if (order.eval.empty()) {
        ROOTSTOCK_CHECKED(check_validation(order, train));
    } else {
        ROOTSTOCK_TRY(pictures, read_labelled_images(order.eval, train.labels));
        eval = std::move(pictures);
    }
    return std::make_unique<ClassifyRows>(std::move(train), std::move(eval));
}

Result<Examination> examine(const TuningJob& job, const Learned& learned) {
    ROOTSTOCK_TRY(bench, Bench::open(job.plan.base_folder, job.plan.base_digest, adapter_folder(job.folder)));
    ROOTSTOCK_TRY(checked, bench.check());
    ROOTSTOCK_TRY(rows, measured_rows(job));
    ROOTSTOCK_TRY(answers, bench.classify(rows.examples));
    ROOTSTOCK_TRY(report, classify_report(job, rows, answers, learned.done, bench.description()));
    return Examination{std::move(report), rows.source, std::move(checked)};
}

}  // namespace

const TuningTask classify_task{"classify", read, examine};
const TuningTask image_task{"image", read_pictures, examine};

}  // namespace rootstock
