#include "flow/finetune.h"

#include "flow/process/lock.h"
#include "flow/tuning/keeper.h"
#include "flow/tuning/task.h"
#include "ledger/ledger.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

// The command line's way: the process that does the work holds the job.
class CommandKeeper final : public JobKeeper {
public:
    explicit CommandKeeper(bool again) : again_(again) {}

    Result<void> begin(store::Session& session, TuningJob& job, Timestamp now) override {
        if (!again_) return catalog::start_job(session, job.hold, now);
        ROOTSTOCK_TRY(hold, catalog::resume_job(session, job.id, now));
        job.hold = hold;
        return {};
    }
    bool stop() override { return false; }
    Result<void> learned(const TuningJob&) override { return {}; }
    Result<void> succeeded(store::Session&, const TuningJob&, const catalog::Adapter&, Timestamp) override {
        return {};
    }
    Result<void> ended(store::Session& session, const TuningJob& job, const Error& error, double seconds,
                       Timestamp now) override {
        if (error.code == ErrorCode::cancelled) return catalog::cancel_job(session, job.hold, seconds, now);
        return catalog::fail_job(session, job.hold, error, seconds, now);
    }

private:
    bool again_;
};

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

catalog::Adapter record_of(const TuningJob& job, const AdapterId& id, const Examination& found) {
    catalog::Adapter adapter;
    adapter.id = id;
    adapter.owner = job.plan.owner;
    adapter.name = job.plan.name;
    adapter.task = job.plan.task;
    adapter.labels = job.labels;
    adapter.base_digest = found.base_digest.empty() ? job.plan.base_digest : found.base_digest;
    adapter.dataset_digest = job.plan.dataset_digest;
    adapter.job = job.id;
    adapter.seed = job.plan.train.seed;
    adapter.settings = to_json(job.plan);
    adapter.metrics = found.report->metrics();
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
Result<catalog::Adapter> enter(FinetuneParts& parts, const TuningJob& job, JobKeeper& keeper,
                               const catalog::Adapter& adapter, double seconds) {
    auto now = parts.clock.now();
    return parts.records.write_now([&](store::Session& session) -> Result<catalog::Adapter> {
        ROOTSTOCK_TRY(added, catalog::add_adapter(session, adapter, now));
        ROOTSTOCK_CHECKED(catalog::succeed_job(session, job.hold, added.id, seconds, now));
        ledger::book_work(session, machine_time(job, seconds, now, added), now);
        ROOTSTOCK_CHECKED(keeper.succeeded(session, job, added, now));
        return added;
    });
}

// The folder first, then the records: a crash between leaves a folder that nobody knows, never a record without one.
Result<FinetuneResult> enroll(FinetuneParts& parts, const TuningJob& job, JobKeeper& keeper, Examination found,
                              double seconds) {
    auto id = mint<AdapterTag>(parts.clock.now());
    auto folder = parts.home.adapters() / id.text();
    ROOTSTOCK_CHECKED(publish_folder(
        folder, [&](const fs::path& to) { return copy_adapter(adapter_folder(job.folder), to, *found.report); }));
    auto added = enter(parts, job, keeper, record_of(job, id, found), seconds);
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
void close_job(FinetuneParts& parts, const TuningJob& job, JobKeeper& keeper, const Error& error, double seconds) {
    auto outcome = parts.records.write_now([&](store::Session& session) -> Result<void> {
        auto now = parts.clock.now();
        ledger::book_work(session, machine_time(job, seconds, now), now);
        return keeper.ended(session, job, error, seconds, now);
    });
    if (!outcome) spdlog::warn("the end of {} was not recorded: {}", job.id.text(), outcome.error().message);
}

}  // namespace

Result<FinetuneResult> work_on(FinetuneParts& parts, TuningJob& job, JobKeeper& keeper, FinetuneWatcher& watcher) {
    auto lock = FolderLock::take(job.folder, "the job " + job.id.text());
    if (!lock) return fail(lock.error());
    ROOTSTOCK_CHECKED(parts.records.write_now(
        [&](store::Session& session) { return keeper.begin(session, job, parts.clock.now()); }));
    double seconds = job.seconds_before;
    auto steps = [&]() -> Result<FinetuneResult> {
        ROOTSTOCK_TRY(learned, run_learner(parts, job, keeper, watcher, seconds));
        ROOTSTOCK_TRY(task, find_task(job.plan.task));
        ROOTSTOCK_TRY(found, task->examine(job, learned));
        ROOTSTOCK_CHECKED(keeper.learned(job));
        return enroll(parts, job, keeper, std::move(found), seconds);
    };
    auto result = steps();
    if (!result) close_job(parts, job, keeper, result.error(), seconds);
    return result;
}

Result<FinetuneResult> finetune(FinetuneParts parts, const FinetuneOrder& order, FinetuneWatcher& watcher) {
    ROOTSTOCK_TRY(prepared, prepare_job(parts, order));
    watcher.prepared(prepared.summary);
    CommandKeeper keeper(false);
    ROOTSTOCK_TRY(result, work_on(parts, prepared.job, keeper, watcher));
    ROOTSTOCK_CHECKED(write_reports(result, order.report));
    return result;
}

Result<FinetuneResult> resume_finetune(FinetuneParts parts, const JobId& id, const fs::path& report,
                                       FinetuneWatcher& watcher) {
    ROOTSTOCK_TRY(job, find_tuning_job(parts, id));
    watcher.note("job " + id.text() + " goes on: " + job.plan.name + " from " + job.plan.data_source);
    CommandKeeper keeper(true);
    ROOTSTOCK_TRY(result, work_on(parts, job, keeper, watcher));
    ROOTSTOCK_CHECKED(write_reports(result, report));
    return result;
}

}  // namespace rootstock
