#include "flow/tuning/prepare.h"

#include "flow/intake.h"
#include "flow/tuning/task.h"
#include "model/model.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

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
    ROOTSTOCK_CHECKED(find_task(order.task));
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
Result<void> check_against_model(const FinetuneOrder& order, const Model& model) {
    if (auto maps = select_linear_maps(model.spec, order.lora.targets); !maps) return fail(maps.error());
    const bool pictures = model.spec.inputs == Inputs::patches;
    if (pictures != (order.task == "image"))
        return fail(ErrorCode::invalid_argument,
                    pictures ? "this base model reads pictures; tune it with --task image and a folder of pictures"
                             : "this base model reads texts; --task image needs a vision model",
                    "task");
    if (!pictures && !order.automatic.max_tokens && order.train.max_tokens > model.spec.positions_max)
        return fail(ErrorCode::invalid_argument,
                    "--max-tokens " + std::to_string(order.train.max_tokens) + " is more than this model takes (" +
                        std::to_string(model.spec.positions_max) + ")",
                    "max_tokens");
    return {};
}

Result<void> open_job(FinetuneParts& parts, const TuningJob& job) {
    return parts.records.write_now([&](store::Session& session) -> Result<void> {
        catalog::add_dataset(session, dataset_of(job, parts.clock.now()));
        catalog::add_job(session, job.plan.owner, "finetune", to_json(job.plan), job.id, parts.clock.now());
        return {};
    });
}

TuningPlan plan_of(const FinetuneOrder& order, const TenantId& owner, const catalog::Model& base, const Home& home) {
    TuningPlan plan;
    plan.task = order.task;
    plan.name = order.name;
    plan.owner = owner;
    if (!base.digest.empty()) {
        plan.base_digest = base.digest;
        plan.base_name = base.name;
        plan.base_folder = (home.models() / base.folder).string();
    }
    plan.data_source = order.data.string();
    plan.eval_source = order.eval.string();
    plan.lora = order.lora;
    plan.train = order.train;
    plan.table = order.table.settings;
    return plan;
}

Result<void> write_folder(const fs::path& folder, const TuningJob& job, const TaskRows& rows) {
    JobSpec spec;
    spec.task = job.plan.task;
    spec.base_folder = job.plan.base_folder;
    spec.base_digest = job.plan.base_digest;
    spec.labels = job.labels;
    spec.lora = job.plan.lora;
    spec.train = job.plan.train;
    ROOTSTOCK_CHECKED(write_job_spec(folder, spec));
    return rows.write(folder);
}

PreparedJob summary_of(const TuningJob& job, const TaskRows& rows) {
    PreparedJob summary;
    summary.id = job.id;
    summary.folder = job.folder;
    summary.task = job.plan.task;
    summary.base_name = job.plan.base_name;
    summary.data_source = job.plan.data_source;
    summary.eval_source = job.plan.eval_source;
    summary.text_column = job.plan.text_column;
    summary.label_column = job.plan.label_column;
    summary.rows = job.plan.rows;
    summary.kept_aside = job.plan.kept_aside;
    summary.eval_kept_aside = job.plan.eval_kept_aside;
    summary.labels = job.labels.size();
    summary.train = job.plan.train;
    rows.summarise(summary);
    return summary;
}

struct Base {
    catalog::Model record;
    fs::path folder;
    Model model;
};

// Nothing of it for a task that makes a model of its own.
Result<Base> base_of(FinetuneParts& parts, const FinetuneOrder& order, const TuningTask& task) {
    Base base;
    if (!task.needs_base && order.base.empty()) return base;
    if (!task.needs_base)
        return fail(ErrorCode::invalid_argument,
                    std::string("the task `") + task.name + "` makes a model of its own; leave out --base", "base");
    ROOTSTOCK_TRY(record, find_base(parts.records, parts.home, order.base));
    base.record = std::move(record);
    base.folder = parts.home.models() / base.record.folder;
    ROOTSTOCK_TRY(model, load_model(base.folder));
    ROOTSTOCK_CHECKED(check_against_model(order, model));
    base.model = std::move(model);
    return base;
}

}  // namespace

catalog::Dataset dataset_of(const TuningJob& job, Timestamp now) {
    return {job.plan.dataset_digest,
            job.plan.owner,
            job.plan.data_source,
            job.plan.rows,
            job.plan.kept_aside,
            job.labels,
            now};
}

Result<Preparation> prepare_folder(FinetuneParts& parts, const FinetuneOrder& order, const JobId& id) {
    ROOTSTOCK_CHECKED(check_order(order));
    ROOTSTOCK_TRY(task, find_task(order.task));
    ROOTSTOCK_TRY(owner, find_owner(parts.records, order.tenant));
    ROOTSTOCK_TRY(base, base_of(parts, order, *task));
    ROOTSTOCK_TRY(rows, task->read(order, base.folder, base.model));
    TuningJob job;
    job.id = id;
    job.hold = catalog::JobHold(id);
    job.folder = parts.home.jobs() / job.id.text();
    job.plan = plan_of(order, owner, base.record, parts.home);
    rows->describe(job.plan);
    job.labels = rows->labels();
    ROOTSTOCK_CHECKED(
        publish_folder(job.folder, [&](const fs::path& folder) { return write_folder(folder, job, *rows); }));
    auto summary = summary_of(job, *rows);
    return Preparation{std::move(job), std::move(summary)};
}

Result<Preparation> prepare_job(FinetuneParts& parts, const FinetuneOrder& order) {
    ROOTSTOCK_TRY(prepared, prepare_folder(parts, order, mint<JobTag>(parts.clock.now())));
    ROOTSTOCK_CHECKED(open_job(parts, prepared.job));
    return std::move(prepared);
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
    job.hold = catalog::JobHold(id, record->fence);
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
