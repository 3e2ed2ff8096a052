#include "flow/tuning/prepare.h"

#include <algorithm>
#include <unordered_set>

#include "data/data.h"
#include "flow/intake.h"
#include "model/model.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

struct Rows {
    TextDataset train;
    std::optional<TextDataset> eval;
};

Result<TenantId> find_owner(store::Database& records, const std::string& tenant) {
    if (tenant.empty()) return TenantId();
    return records.read([&](store::Session& session) -> Result<TenantId> {
        ROOTSTOCK_TRY(found, tenant::find(session, tenant));
        return found.id;
    });
}

// Said before the work, not after it.
Result<void> check_report_place(const fs::path& report) {
    if (report.empty()) return {};
    std::error_code code;
    auto folder = fs::absolute(report, code).parent_path();
    if (fs::is_directory(folder, code)) return {};
    return fail(ErrorCode::invalid_argument, "the report cannot be written: there is no folder " + folder.string(),
                "report");
}

Result<void> check_order(const FinetuneOrder& order) {
    if (order.task != "classify" && order.task != "image")
        return fail(ErrorCode::unsupported,
                    "the task `" + order.task + "` is not known here; known are: classify, image", "task");
    if (order.eval.empty() && order.train.validation <= 0)
        return fail(ErrorCode::invalid_argument,
                    "there are no rows to measure with: give --eval FILE, or a --validation share above 0", "eval");
    ROOTSTOCK_CHECKED(check_report_place(order.report));
    ROOTSTOCK_TRY(lora, lora_settings_from_json(to_json(order.lora)));
    ROOTSTOCK_TRY(train, train_settings_from_json(to_json(order.train)));
    static_cast<void>(lora);
    static_cast<void>(train);
    return catalog::check_name(order.name);
}

// Targets and lengths must fit the model; said now, not by a child process after a minute.
Result<void> check_against_model(const FinetuneOrder& order, const fs::path& folder) {
    ROOTSTOCK_TRY(model, load_model(folder));
    if (auto maps = select_linear_maps(model.spec, order.lora.targets); !maps) return fail(maps.error());
    const bool pictures = model.spec.inputs == Inputs::patches;
    if (pictures != (order.task == "image"))
        return fail(ErrorCode::invalid_argument,
                    pictures ? "this base model reads pictures; tune it with --task image and a folder of pictures"
                             : "this base model reads texts; --task image needs a vision model",
                    "task");
    if (!pictures && order.train.max_tokens > model.spec.positions_max)
        return fail(ErrorCode::invalid_argument,
                    "--max-tokens " + std::to_string(order.train.max_tokens) + " is more than this model takes (" +
                        std::to_string(model.spec.positions_max) + ")",
                    "max_tokens");
    return {};
}

Result<Rows> read_pictures(const FinetuneOrder& order) {
    ROOTSTOCK_TRY(train, read_labelled_images(order.data));
    Rows rows{std::move(train), {}};
    if (order.eval.empty()) return rows;
    ROOTSTOCK_TRY(eval, read_labelled_images(order.eval, rows.train.labels));
    rows.eval = std::move(eval);
    return rows;
}

Result<Rows> read_rows(const FinetuneOrder& order) {
    if (order.task == "image") return read_pictures(order);
    TextDatasetOptions options{order.text_column, order.label_column, {}, {}};
    ROOTSTOCK_TRY(train, read_labelled_texts(order.data, options));
    Rows rows{std::move(train), {}};
    if (order.eval.empty()) return rows;
    TextDatasetOptions same_columns{rows.train.text_column, rows.train.label_column, rows.train.labels, {}};
    ROOTSTOCK_TRY(eval, read_labelled_texts(order.eval, same_columns));
    rows.eval = std::move(eval);
    return rows;
}

// Validation rows there must be when nothing else measures.
Result<void> check_validation(const FinetuneOrder& order, const Rows& rows) {
    if (rows.eval) return {};
    auto split = split_stratified(rows.train.examples, order.train.validation, order.train.seed);
    if (!split.held_out.empty()) return {};
    return fail(ErrorCode::invalid_argument,
                order.data.string() + " has too few rows (" + format_count(rows.train.examples.size()) +
                    ") to hold some out for measuring; give --eval FILE, a larger --validation share, or more rows",
                "data");
}

TuningPlan plan_of(const FinetuneOrder& order, const TenantId& owner, const catalog::Model& base, const Home& home,
                   const Rows& rows) {
    TuningPlan plan;
    plan.task = order.task;
    plan.name = order.name;
    plan.owner = owner;
    plan.base_digest = base.digest;
    plan.base_name = base.name;
    plan.base_folder = (home.models() / base.folder).string();
    plan.data_source = order.data.string();
    plan.dataset_digest = rows.train.digest;
    plan.text_column = rows.train.text_column;
    plan.label_column = rows.train.label_column;
    plan.rows = rows.train.rows;
    plan.kept_aside = static_cast<std::int64_t>(rows.train.problems.size());
    plan.lora = order.lora;
    plan.train = order.train;
    if (!rows.eval) return plan;
    plan.eval_source = order.eval.string();
    plan.eval_digest = rows.eval->digest;
    plan.eval_kept_aside = static_cast<std::int64_t>(rows.eval->problems.size());
    return plan;
}

Result<void> write_folder(const fs::path& folder, const TuningPlan& plan, const Rows& rows) {
    JobSpec spec;
    spec.task = plan.task;
    spec.base_folder = plan.base_folder;
    spec.base_digest = plan.base_digest;
    spec.labels = rows.train.labels;
    spec.lora = plan.lora;
    spec.train = plan.train;
    ROOTSTOCK_CHECKED(write_job_spec(folder, spec));
    ROOTSTOCK_CHECKED(write_training_rows(rows_file(folder), rows.train.examples));
    ROOTSTOCK_CHECKED(write_problems(problems_file(folder), rows.train.problems));
    if (!rows.eval) return {};
    ROOTSTOCK_CHECKED(write_training_rows(eval_file(folder), rows.eval->examples));
    return write_problems(eval_problems_file(folder), rows.eval->problems);
}

Result<void> open_job(FinetuneParts& parts, const TuningJob& job, const Rows& rows) {
    catalog::Dataset dataset{job.plan.dataset_digest, job.plan.owner,    job.plan.data_source, job.plan.rows,
                             job.plan.kept_aside,     rows.train.labels, parts.clock.now()};
    return parts.records.write_now([&](store::Session& session) -> Result<void> {
        catalog::add_dataset(session, dataset);
        catalog::add_job(session, job.plan.owner, "finetune", to_json(job.plan), job.id, parts.clock.now());
        return {};
    });
}

// What was learned from proves nothing when measured with.
std::size_t rows_in_both(const Rows& rows) {
    std::unordered_set<std::string_view> learned;
    for (const auto& example : rows.train.examples) learned.insert(example.text);
    return static_cast<std::size_t>(std::ranges::count_if(
        rows.eval->examples, [&](const TextExample& example) { return learned.contains(example.text); }));
}

void add_eval_warnings(const Rows& rows, std::vector<std::string>& warnings) {
    warnings.insert(warnings.end(), rows.eval->warnings.begin(), rows.eval->warnings.end());
    if (auto both = rows_in_both(rows); both > 0)
        warnings.push_back(format_count(both) + " of the rows to measure with " +
                           (both == 1 ? "has its text" : "have their texts") + " among those to learn from");
}

PreparedJob summary_of(const TuningJob& job, const Rows& rows) {
    PreparedJob summary;
    summary.id = job.id;
    summary.folder = job.folder;
    summary.base_name = job.plan.base_name;
    summary.data_source = job.plan.data_source;
    summary.eval_source = job.plan.eval_source;
    summary.pictures = job.plan.task == "image";
    summary.text_column = job.plan.text_column;
    summary.label_column = job.plan.label_column;
    summary.rows = job.plan.rows;
    summary.examples = static_cast<std::int64_t>(rows.train.examples.size());
    summary.kept_aside = job.plan.kept_aside;
    summary.eval_examples = rows.eval ? static_cast<std::int64_t>(rows.eval->examples.size()) : 0;
    summary.eval_kept_aside = job.plan.eval_kept_aside;
    summary.duplicates = rows.train.duplicates;
    summary.labels = rows.train.labels.size();
    summary.warnings = rows.train.warnings;
    if (rows.eval) add_eval_warnings(rows, summary.warnings);
    summary.train = job.plan.train;
    return summary;
}

}  // namespace

Result<Preparation> prepare_job(FinetuneParts& parts, const FinetuneOrder& order) {
    ROOTSTOCK_CHECKED(check_order(order));
    ROOTSTOCK_TRY(base, find_base(parts.records, parts.home, order.base));
    ROOTSTOCK_TRY(owner, find_owner(parts.records, order.tenant));
    ROOTSTOCK_CHECKED(check_against_model(order, parts.home.models() / base.folder));
    ROOTSTOCK_TRY(rows, read_rows(order));
    ROOTSTOCK_CHECKED(check_validation(order, rows));
    TuningJob job;
    job.id = mint<JobTag>(parts.clock.now());
    job.folder = parts.home.jobs() / job.id.text();
    job.plan = plan_of(order, owner, base, parts.home, rows);
    job.labels = rows.train.labels;
    ROOTSTOCK_CHECKED(
        publish_folder(job.folder, [&](const fs::path& folder) { return write_folder(folder, job.plan, rows); }));
    ROOTSTOCK_CHECKED(open_job(parts, job, rows));
    auto summary = summary_of(job, rows);
    return Preparation{std::move(job), std::move(summary)};
}

Result<TuningJob> find_tuning_job(FinetuneParts& parts, const JobId& id) {
    auto record = parts.records.read([&](store::Session& session) { return catalog::find_job(session, id); });
    if (!record) return fail(record.error());
    if (record->kind != "finetune")
        return fail(ErrorCode::invalid_argument, "the job " + id.text() + " is no tuning job", "resume");
    TuningJob job;
    job.id = id;
    job.folder = parts.home.jobs() / id.text();
    job.seconds_before = record->seconds;
    ROOTSTOCK_TRY(plan, tuning_plan_from_json(record->settings));
    job.plan = plan;
    auto spec = read_job_spec(job.folder);
    if (!spec && spec.error().code == ErrorCode::not_found)
        return fail(ErrorCode::not_found, "the folder of job " + id.text() + " is gone: " + job.folder.string(),
                    "resume");
    if (!spec) return fail(spec.error());
    job.labels = spec->labels;
    return job;
}

}  // namespace rootstock
