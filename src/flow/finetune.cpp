#include "flow/finetune.h"

#include "flow/process/lock.h"
#include "flow/tuning/task.h"
#include "ledger/ledger.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

Result<void> begin(FinetuneParts& parts, const TuningJob& job, bool again) {
    return parts.records.write_now([&](store::Session& session) -> Result<void> {
        if (again) return catalog::resume_job(session, job.id, parts.clock.now());
        return catalog::start_job(session, job.id, parts.clock.now());
    });
}

Result<void> copy_adapter(const fs::path& from, const fs::path& to, const TuningReport& report) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(from, code)) {
        fs::copy_file(entry.path(), to / entry.path().filename(), code);
        if (code) return fail(ErrorCode::io, "cannot store the adapter in " + to.string() + ": " + code.message());
    }
    if (code) return fail(ErrorCode::io, "cannot read " + from.string() + ": " + code.message());
    ROOTSTOCK_CHECKED(write_file_atomically(to / "report.json", json::serialize(report.as_json()) + "\n"));
    return write_file_atomically(to / "report.html", report.as_html());
}

catalog::Adapter record_of(const TuningJob& job, const AdapterId& id, const TuningReport& report) {
    catalog::Adapter adapter;
    adapter.id = id;
    adapter.owner = job.plan.owner;
    adapter.name = job.plan.name;
    adapter.task = job.plan.task;
    adapter.labels = job.labels;
    adapter.base_digest = job.plan.base_digest;
    adapter.dataset_digest = job.plan.dataset_digest;
    adapter.job = job.id;
    adapter.seed = job.plan.train.seed;
    adapter.settings = to_json(job.plan);
    adapter.metrics = report.metrics();
    return adapter;
}

// This run's machine time, booked whether it succeeded or not; a job that was taken up again has several.
ledger::Work machine_time(const TuningJob& job, double seconds, Timestamp now, const catalog::Adapter& adapter = {}) {
    return {.kind = "training",
            .ref = job.id.text() + "/" + std::to_string(now.micros),
            .tenant = job.plan.owner,
            .model = job.plan.base_name,
            .adapter = adapter.id.empty() ? "" : adapter.reference(),
            .adapter_id = adapter.id,
            .compute_micros = static_cast<std::int64_t>((seconds - job.seconds_before) * 1e6)};
}

// The version, the end of the job and its machine time: all of it or nothing.
Result<catalog::Adapter> enter(FinetuneParts& parts, const TuningJob& job, const catalog::Adapter& adapter,
                               double seconds) {
    auto now = parts.clock.now();
    return parts.records.write_now([&](store::Session& session) -> Result<catalog::Adapter> {
        ROOTSTOCK_TRY(added, catalog::add_adapter(session, adapter, now));
        ROOTSTOCK_CHECKED(catalog::succeed_job(session, job.id, added.id, seconds, now));
        ledger::book_work(session, machine_time(job, seconds, now, added), now);
        return added;
    });
}

// The folder first, then the records: a crash between leaves a folder that nobody knows, never a record without one.
Result<FinetuneResult> enroll(FinetuneParts& parts, const TuningJob& job, Examination found, double seconds) {
    auto id = mint<AdapterTag>(parts.clock.now());
    auto folder = parts.home.adapters() / id.text();
    ROOTSTOCK_CHECKED(publish_folder(
        folder, [&](const fs::path& to) { return copy_adapter(adapter_folder(job.folder), to, *found.report); }));
    auto added = enter(parts, job, record_of(job, id, *found.report), seconds);
    std::error_code code;
    if (!added) {
        fs::remove_all(folder, code);
        return fail(added.error());
    }
    fs::remove_all(checkpoint_folder(job.folder), code);  // nothing resumes from here any more
    found.report->set_title(added->reference());
    return FinetuneResult{*added,
                          folder,
                          folder / "report.html",
                          folder / "report.json",
                          std::move(found.report),
                          found.measured_on,
                          found.checked};
}

Result<void> write_reports(FinetuneResult& result, const fs::path& wanted) {
    if (wanted.empty()) return {};
    result.report = result.html = wanted;
    result.html.replace_extension(".html");
    if (result.report == result.html) result.report.replace_extension(".json");
    ROOTSTOCK_CHECKED(write_file_atomically(result.report, json::serialize(result.measured->as_json()) + "\n"));
    return write_file_atomically(result.html, result.measured->as_html());
}

// However the work ended, the catalog says so.
void close_job(FinetuneParts& parts, const TuningJob& job, const Error& error, double seconds) {
    auto outcome = parts.records.write_now([&](store::Session& session) -> Result<void> {
        auto now = parts.clock.now();
        ledger::book_work(session, machine_time(job, seconds, now), now);
        if (error.code == ErrorCode::cancelled) return catalog::cancel_job(session, job.id, seconds, now);
        return catalog::fail_job(session, job.id, error, seconds, now);
    });
    if (!outcome) spdlog::warn("the end of {} was not recorded: {}", job.id.text(), outcome.error().message);
}

Result<FinetuneResult> work_on(FinetuneParts& parts, const TuningJob& job, bool again, FinetuneWatcher& watcher) {
    auto lock = FolderLock::take(job.folder, "the job " + job.id.text());
    if (!lock) return fail(lock.error());
    ROOTSTOCK_CHECKED(begin(parts, job, again));
    double seconds = job.seconds_before;
    auto steps = [&]() -> Result<FinetuneResult> {
        ROOTSTOCK_TRY(learned, run_learner(parts, job, watcher, seconds));
        ROOTSTOCK_TRY(task, find_task(job.plan.task));
        ROOTSTOCK_TRY(found, task->examine(job, learned));
        return enroll(parts, job, std::move(found), seconds);
    };
    auto result = steps();
    if (!result) close_job(parts, job, result.error(), seconds);
    return result;
}

}  // namespace

Result<FinetuneResult> finetune(FinetuneParts parts, const FinetuneOrder& order, FinetuneWatcher& watcher) {
    ROOTSTOCK_TRY(prepared, prepare_job(parts, order));
    watcher.prepared(prepared.summary);
    ROOTSTOCK_TRY(result, work_on(parts, prepared.job, false, watcher));
    ROOTSTOCK_CHECKED(write_reports(result, order.report));
    return result;
}

Result<FinetuneResult> resume_finetune(FinetuneParts parts, const JobId& id, const fs::path& report,
                                       FinetuneWatcher& watcher) {
    ROOTSTOCK_TRY(job, find_tuning_job(parts, id));
    watcher.note("job " + id.text() + " goes on: " + job.plan.name + " from " + job.plan.data_source);
    ROOTSTOCK_TRY(result, work_on(parts, job, true, watcher));
    ROOTSTOCK_CHECKED(write_reports(result, report));
    return result;
}

}  // namespace rootstock
