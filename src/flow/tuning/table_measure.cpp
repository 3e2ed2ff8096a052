#include "flow/tuning/table_measure.h"

#include <algorithm>

#include "flow/tuning/classify_report.h"
#include "flow/tuning/report_facts.h"
#include "infer/infer.h"

namespace rootstock {
namespace {

constexpr std::size_t worst_max = 20;

class NumbersReport final : public TuningReport {
public:
    explicit NumbersReport(NumberPage page) : page_(std::move(page)) {}

    void set_title(const std::string& title) override { page_.title = title; }
    json::value as_json() const override { return rootstock::to_json(page_); }
    std::string as_html() const override { return rootstock::to_html(page_); }
    std::string as_text() const override { return rootstock::to_terminal(page_.report); }
    json::value metrics() const override {
        auto object = rootstock::to_json(page_.report).get_object();
        object["measured_on"] = page_.measured_on;
        return object;
    }

private:
    NumberPage page_;
};

// "age=41, plan=basic": the columns the model reads, as far as there is room.
std::string shown(const TableRows& table, const Record& record, const TableSchema& schema) {
    constexpr std::size_t bytes_max = 400;
    std::string text;
    for (const auto& column : schema.columns) {
        const auto place =
            static_cast<std::size_t>(std::ranges::find(table.columns, column.name) - table.columns.begin());
        if (column.role == ColumnRole::left_out || place >= record.values.size() || !record.values[place]) continue;
        const auto cell = column.name + "=" + *record.values[place];
        if (text.size() + cell.size() > bytes_max) return text + ", ...";
        text += (text.empty() ? "" : ", ") + cell;
    }
    return text;
}

// The rows that were encoded, for people.
MeasuredRows measured_rows(const TableRows& table, const EncodedTable& encoded, const TableSchema& schema) {
    MeasuredRows rows;
    for (const auto& record : table.records) {
        const auto at = rows.examples.size();
        if (at == encoded.row_numbers.size()) break;
        if (record.row != encoded.row_numbers[at]) continue;  // kept aside
        rows.examples.push_back(
            {shown(table, record, schema), encoded.classes.empty() ? 0 : encoded.classes[at], record.row});
    }
    return rows;
}

std::string short_number(double value) { return fmt::format("{:.6g}", value); }

Result<std::unique_ptr<TuningReport>> number_report(const TuningJob& job, const MeasuredRows& rows,
                                                    std::span<const double> truth, std::span<const double> predicted,
                                                    const json::object& done, const std::string& executor) {
    NumberPage page;
    ROOTSTOCK_TRY(report, measure_numbers(truth, predicted));
    page.report = report;
    page.title = job.plan.name;
    page.measured_on = rows.source;
    page.loss = read_curves(job.folder).loss;
    page.settings = settings_facts(job.plan);
    page.lineage = lineage_facts(job, rows.source, done, executor);
    page.kept_aside = job.plan.kept_aside + job.plan.eval_kept_aside;
    for (auto i : largest_errors(truth, predicted, worst_max))
        page.worst.push_back(
            {rows.examples[i].row, rows.examples[i].text, short_number(truth[i]), short_number(predicted[i]), 0});
    return std::make_unique<NumbersReport>(std::move(page));
}

}  // namespace

Result<Examination> examine_table(const TuningJob& job, const Learned& learned) {
    const auto& plan = job.plan;
    ROOTSTOCK_TRY(model, TableModel::load(adapter_folder(job.folder)));
    ROOTSTOCK_TRY(checked, model.check());
    const bool apart = !plan.eval_source.empty();
    ROOTSTOCK_TRY(table, read_table_rows(apart ? eval_file(job.folder) : valid_file(job.folder)));
    ROOTSTOCK_TRY(encoded, model.encode(table, LabelUse::require));
    const double began = monotonic_seconds();
    ROOTSTOCK_TRY(scores, model.score(encoded));
    const double seconds = monotonic_seconds() - began;
    auto rows = measured_rows(table, encoded, model.schema());
    rows.source = apart ? file_name(plan.eval_source) : "validation rows of " + file_name(plan.data_source);
    rows.kept_aside = apart ? plan.eval_kept_aside : plan.kept_aside;
    std::vector<double> truth;
    for (const float target : encoded.targets)
        truth.push_back(model.schema().label.scaling.undo(static_cast<double>(target)));
    const auto executor = model.description();
    auto report = model.gives_classes() ? classify_report(job, rows, {std::move(scores.probabilities), 0, seconds},
                                                          learned.done, executor)
                                        : number_report(job, rows, truth, scores.numbers, learned.done, executor);
    if (!report) return fail(report.error());
    ROOTSTOCK_TRY(digest, model_digest(adapter_folder(job.folder)));
    return Examination{std::move(*report), rows.source, std::move(checked), digest};
}

}  // namespace rootstock
