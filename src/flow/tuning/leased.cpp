// A worker's part of the journey: one leased job, from its files to its model.

#include <algorithm>

#include "flow/flow.h"
#include "flow/tuning/heartbeat.h"
#include "flow/tuning/keeper.h"
#include "flow/tuning/learner.h"
#include "flow/tuning/ordered.h"
#include "ledger/ledger.h"

namespace rootstock {
namespace {

constexpr std::int64_t hold_days = 30;  // the longest a job may take before its price is held anew

Timestamp after(Timestamp now, double seconds) { return {now.micros + static_cast<std::int64_t>(seconds * 1e6)}; }

bool is_callers_fault(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::not_found:
        case ErrorCode::too_large:
        case ErrorCode::too_long:
        case ErrorCode::unsupported:
        case ErrorCode::insufficient_quota:
            return true;
        default:
            return false;
    }
}

void tell(store::Session& session, const catalog::Tuning& tuning, const char* level, const std::string& sentence,
          Timestamp now, std::string_view mark = "") {
    catalog::add_event(session, tuning.tenant, tuning.job, {.level = level, .message = sentence, .created = now}, mark);
}

Result<void> let_go(store::Session& session, const catalog::Tuning& tuning, Timestamp now) {
    auto gone = ledger::void_reservation(session, tuning.request, 0, now);
    if (!gone && gone.error().code != ErrorCode::not_found) return gone;
    return {};
}

// How a leased job ends otherwise than well. Called inside the transaction that books its machine time.
class Ending {
public:
    Ending(const TuneParts& parts, const catalog::Job& job, const catalog::Tuning& tuning, const Heartbeat& heartbeat)
        : parts_(parts), job_(job), tuning_(tuning), heartbeat_(heartbeat) {}

    Result<void> enter(store::Session& session, const Error& error, double seconds, Timestamp now) const {
        const catalog::JobHold hold{job_.id, job_.fence};
        if (error.code == ErrorCode::cancelled) return interrupted(session, hold, seconds, now);
        if (error.reason == "busy")  // the learner of a worker that died is still ending
            return catalog::release_lease(session, hold, seconds, true, now, parts_.settings.again_seconds);
        if (!is_callers_fault(error) && job_.attempts < catalog::leases_max) {
            tell(session, tuning_, "warn", "The job broke off and is tried again from its last checkpoint", now);
            spdlog::warn("{} broke off and is tried again: {}", job_.id.text(), error.message);
            return catalog::release_lease(session, hold, seconds, false, now, parts_.settings.again_seconds);
        }
        ROOTSTOCK_CHECKED(let_go(session, tuning_, now));
        const auto told = is_callers_fault(error) ? error : general(error);
        tell(session, tuning_, "error", told.message, now);
        return catalog::fail_job(session, hold, told, seconds, now);
    }

private:
    Result<void> interrupted(store::Session& session, const catalog::JobHold& hold, double seconds,
                             Timestamp now) const {
        switch (heartbeat_.wish()) {
            case catalog::JobWish::pause:
                tell(session, tuning_, "info", "The job is paused; its checkpoint is kept", now);
                return catalog::pause_job(session, hold, seconds);
            case catalog::JobWish::cancel:
                tell(session, tuning_, "info", "The job was cancelled", now);
                ROOTSTOCK_CHECKED(let_go(session, tuning_, now));
                return catalog::cancel_job(session, hold, seconds, now);
            case catalog::JobWish::run:
                break;
        }
        return catalog::release_lease(session, hold, seconds, true, now, 0);
    }

    // Faults of ours are told in general words; their details belong in the log.
    Error general(const Error& error) const {
        spdlog::error("{} failed: {}", job_.id.text(), error.message);
        return {ErrorCode::internal, "something went wrong here; the fault is logged under the job's id", {}, {}};
    }

    const TuneParts& parts_;
    const catalog::Job& job_;
    const catalog::Tuning& tuning_;
    const Heartbeat& heartbeat_;
};

class LeaseKeeper final : public JobKeeper {
public:
    LeaseKeeper(const TuneParts& parts, catalog::Tuning tuning, const Heartbeat& heartbeat, Ending ending)
        : parts_(parts), tuning_(std::move(tuning)), heartbeat_(heartbeat), ending_(ending) {}

    Result<void> begin(store::Session& session, TuningJob& job, Timestamp now) override {
        tell(session, tuning_, "info", "Fine-tuning job started", now, "started");
        return catalog::start_job(session, job.hold, now);
    }

    bool stop() override {
        return heartbeat_.lost() || heartbeat_.wish() != catalog::JobWish::run || parts_.stopping();
    }

    Result<void> learned(const TuningJob& job) override {
        const auto now = parts_.clock.now();
        result_.id = mint<FileTag>(now);
        result_.tenant = tuning_.tenant;
        result_.filename = "step_metrics.csv";
        result_.purpose = "fine-tune-results";
        result_.created = now;
        ROOTSTOCK_TRY(facts, parts_.blobs.keep(result_csv(job.folder), {tuning_.tenant.text(), result_.id.text()}));
        result_.bytes = static_cast<std::int64_t>(facts.bytes);
        result_.sha256 = facts.sha256;
        return {};
    }

    Result<void> succeeded(store::Session& session, const TuningJob& job, const catalog::Adapter& adapter,
                           Timestamp now) override {
        const auto tokens = trained_tokens(job.folder);
        tuning_.tuned_model = tuned_model_name(tuning_, job.plan.base_name);
        tuning_.trained_tokens = tokens;
        tuning_.result = result_.id;
        // The customer's quota is no reason to lose what he paid for.
        ROOTSTOCK_CHECKED(catalog::add_file(session, result_, INT64_MAX));
        ROOTSTOCK_CHECKED(catalog::promote(session, tuning_.tenant, adapter.reference(), now));
        catalog::finish_tuning(session, tuning_, adapter.id, now);
        ROOTSTOCK_CHECKED(ledger::post(session,
                                       {tuning_.request, "fine_tune", job.plan.base_name, tuning_.tuned_model,
                                        Usage{tokens, job.plan.rows, 0}, adapter.id},
                                       now));
        tell(session, tuning_, "info", "New fine-tuned model created: " + tuning_.tuned_model, now);
        tell(session, tuning_, "info", "The job has successfully completed", now);
        return {};
    }

    Result<void> ended(store::Session& session, const TuningJob&, const Error& error, double seconds,
                       Timestamp now) override {
        return ending_.enter(session, error, seconds, now);
    }

private:
    const TuneParts& parts_;
    catalog::Tuning tuning_;
    const Heartbeat& heartbeat_;
    Ending ending_;
    catalog::File result_;
};

// The learner's events as the job's owner sees them.
class LeaseWatcher final : public FinetuneWatcher {
public:
    LeaseWatcher(const TuneParts& parts, const catalog::Tuning& tuning) : parts_(parts), tuning_(tuning) {}

    void prepared(const PreparedJob&) override {}
    void event(const json::object& event) override {
        const auto kind = text_at(event, "event");
        if (kind == "step") step(event);
        if (kind == "evaluation") evaluation(event);
    }
    void note(const std::string& sentence) override { spdlog::warn("{}: {}", tuning_.job.text(), sentence); }

private:
    void step(const json::object& event) {
        const auto step = static_cast<std::int64_t>(number_at(event, "step").value_or(0));
        const auto steps = static_cast<std::int64_t>(number_at(event, "steps").value_or(0));
        const double loss = number_at(event, "loss").value_or(0);
        write("Step " + std::to_string(step) + "/" + std::to_string(steps) + ": training loss=" + shown(loss),
              {{"step", step}, {"total_steps", steps}, {"train_loss", loss}}, "step " + std::to_string(step));
    }
    void evaluation(const json::object& event) {
        const auto step = static_cast<std::int64_t>(number_at(event, "step").value_or(0));
        const double loss = number_at(event, "loss").value_or(0), accuracy = number_at(event, "accuracy").value_or(0);
        write("Step " + std::to_string(step) + ": validation loss=" + shown(loss) + ", accuracy=" + shown(accuracy),
              {{"step", step}, {"valid_loss", loss}, {"valid_accuracy", accuracy}},
              "evaluation " + std::to_string(step));
    }
    static std::string shown(double value) { return fmt::format("{:.4f}", value); }

    void write(std::string message, json::object data, const std::string& mark) {
        catalog::JobEvent event{
            .type = "metrics", .message = std::move(message), .data = std::move(data), .created = parts_.clock.now()};
        auto written = parts_.records.write_now([&](store::Session& session) -> Result<void> {
            catalog::add_event(session, tuning_.tenant, tuning_.job, event, mark);
            return {};
        });
        if (!written) spdlog::warn("an event of {} was not recorded: {}", tuning_.job.text(), written.error().message);
    }

    const TuneParts& parts_;
    const catalog::Tuning& tuning_;
};

// Validate and reserve: what is to be known of a job before it may cost anything.
Result<TuningJob> validate(const TuneParts& parts, const catalog::Tuning& tuning, const catalog::JobHold& hold) {
    ROOTSTOCK_TRY(ordered, prepare_ordered(parts, tuning, hold));
    const auto& plan = ordered.job.plan;
    ROOTSTOCK_CHECKED(parts.records.write_now([&](store::Session& session) -> Result<void> {
        const auto now = parts.clock.now();
        ledger::ReserveRequest price{.request = tuning.request,
                                     .tenant = tuning.tenant,
                                     .key = tuning.key,
                                     .model = plan.base_name,
                                     .tokens_max = ordered.tokens * plan.train.epochs,
                                     .expires = after(now, hold_days * 86400),
                                     .owner = std::string(ledger::jobs_own),
                                     .meter = "training_tokens"};
        ROOTSTOCK_CHECKED(ledger::reserve(session, price, now));
        catalog::add_dataset(session, ordered.dataset);
        catalog::set_hyperparameters(session, tuning, ordered.hyperparameters);
        ROOTSTOCK_CHECKED(catalog::set_job_settings(session, hold, to_json(plan)));
        for (const auto& warning : ordered.warnings) tell(session, tuning, "warn", warning, now);
        tell(session, tuning, "info", "Files validated, moving job to queued state", now);
        return catalog::queue_job(session, hold);
    }));
    return std::move(ordered.job);
}

Result<TuningJob> job_to_do(const TuneParts& parts, const catalog::Job& job, const catalog::Tuning& tuning) {
    const catalog::JobHold hold{job.id, job.fence};
    if (job.state == catalog::JobState::validating_files) return validate(parts, tuning, hold);
    FinetuneParts finetune{parts.records, parts.home, parts.clock};
    auto found = find_tuning_job(finetune, job.id);
    if (found) found->hold = hold;
    return found;
}

// A file that is no good, or a folder that is gone: the job ends before its learner began.
Result<TuneOutcome> end_early(const TuneParts& parts, const catalog::Job& job, const Ending& ending,
                              const Error& error) {
    return parts.records.write_now([&](store::Session& session) -> Result<TuneOutcome> {
        ROOTSTOCK_CHECKED(ending.enter(session, error, job.seconds, parts.clock.now()));
        return TuneOutcome::worked;
    });
}

Result<TuneOutcome> work(const TuneParts& parts, const catalog::Job& job, const catalog::Tuning& tuning) {
    Heartbeat heartbeat(parts, {job.id, job.fence});
    const Ending ending(parts, job, tuning, heartbeat);
    LeaseKeeper keeper(parts, tuning, heartbeat, ending);
    auto to_do = job_to_do(parts, job, tuning);
    if (to_do && keeper.stop()) to_do = fail(ErrorCode::cancelled, "stopped before it began", {}, "interrupted");
    if (!to_do) return end_early(parts, job, ending, to_do.error());
    LeaseWatcher watcher(parts, tuning);
    FinetuneParts finetune{parts.records, parts.home, parts.clock};
    auto result = work_on(finetune, *to_do, keeper, watcher);
    // Busy: nothing was begun, so the keeper was not told.
    if (!result && result.error().reason == "busy") return end_early(parts, job, ending, result.error());
    if (!result) spdlog::info("{}: {}", job.id.text(), result.error().message);
    const bool told_to_end = !result && result.error().reason == "interrupted" && !heartbeat.lost() &&
                             heartbeat.wish() == catalog::JobWish::run;
    return told_to_end ? TuneOutcome::stopped : TuneOutcome::worked;
}

}  // namespace

Result<TuneOutcome> tune_next(const TuneParts& parts) {
    auto waits = parts.records.read([&](store::Session& session) -> Result<bool> {
        return catalog::job_waits(session, "finetune", parts.clock.now());
    });
    if (!waits) return fail(waits.error());
    if (!*waits) return TuneOutcome::nothing;
    auto leased = parts.records.write_now([&](store::Session& session) -> Result<std::optional<catalog::Job>> {
        return catalog::lease_job(session, "finetune", parts.worker, parts.clock.now(), parts.settings.lease_seconds);
    });
    if (!leased) return fail(leased.error());
    if (!*leased) return TuneOutcome::nothing;
    const catalog::Job& job = **leased;
    spdlog::info("{} leased, attempt {}", job.id.text(), job.attempts);
    auto tuning =
        parts.records.read([&](store::Session& session) { return catalog::find_tuning(session, job.owner, job.id); });
    if (!tuning) return fail(tuning.error());
    return work(parts, job, *tuning);
}

}  // namespace rootstock
