#include "catalog/jobs.h"

#include <array>

#include "catalog/columns.h"

namespace rootstock::catalog {
namespace {

constexpr std::array states{JobState::validating_files, JobState::queued, JobState::running,  JobState::paused,
                            JobState::succeeded,        JobState::failed, JobState::cancelled};
Timestamp after(Timestamp now, double seconds) { return {now.micros + static_cast<std::int64_t>(seconds * 1e6)}; }

constexpr std::array wishes{std::pair{JobWish::run, "run"}, std::pair{JobWish::pause, "pause"},
                            std::pair{JobWish::cancel, "cancel"}};
constexpr std::array codes{ErrorCode::invalid_argument, ErrorCode::unauthenticated, ErrorCode::permission_denied,
                           ErrorCode::not_found,        ErrorCode::already_exists,  ErrorCode::conflict,
                           ErrorCode::too_large,        ErrorCode::too_long,        ErrorCode::insufficient_quota,
                           ErrorCode::rate_limited,     ErrorCode::overloaded,      ErrorCode::unavailable,
                           ErrorCode::unsupported,      ErrorCode::corrupt,         ErrorCode::io,
                           ErrorCode::cancelled,        ErrorCode::internal};

template <typename Names, typename Name>
auto named(const Names& values, const std::string& text, Name name_of) {
    for (const auto value : values)
        if (name_of(value) == text) return value;
    return values.back();
}

JobWish wish_named(const std::string& text) {
    for (const auto& [wish, word] : wishes)
        if (text == word) return wish;
    return JobWish::run;
}

Error error_of(const std::string& code, std::string message, std::string param) {
    return {named(codes, code, [](ErrorCode value) { return rootstock::name(value); }),
            std::move(message),
            std::move(param),
            {}};
}

template <typename... Args>
std::vector<Job> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Job> jobs;
    session.for_each<JobId, TenantId, std::string, std::string, std::string, std::string, std::string, std::string,
                     std::string, std::string, AdapterId, double, std::string, std::int64_t, int, Timestamp,
                     std::optional<Timestamp>, std::optional<Timestamp>>(
        "SELECT id, tenant_id, kind, state, wish, settings, progress, error_code, error_message, error_param, "
        "adapter_id, seconds, worker, fence, attempts, created_at, started_at, finished_at FROM job " +
            rest,
        [&](JobId id, TenantId owner, std::string kind, const std::string& state, const std::string& wish,
            const std::string& settings, const std::string& progress, const std::string& code, std::string message,
            std::string param, AdapterId adapter, double seconds, std::string worker, std::int64_t fence, int attempts,
            Timestamp created, auto started, auto finished) {
            jobs.push_back({std::move(id), std::move(owner), std::move(kind),
                            named(states, state, [](JobState value) { return name(value); }), wish_named(wish),
                            json_column(settings), json_column(progress),
                            error_of(code, std::move(message), std::move(param)), std::move(adapter), seconds,
                            std::move(worker), fence, attempts, created, started, finished});
        },
        args...);
    return jobs;
}

std::unexpected<Error> no_job(const JobId& id) {
    return fail(ErrorCode::not_found, "there is no job '" + id.text() + "'", "job", "job_not_found");
}

// `changed` is what an UPDATE that names the allowed states and the fence returned.
Result<void> outcome(store::Session& session, const JobHold& hold, std::int64_t changed, const char* step) {
    if (changed == 1) return {};
    ROOTSTOCK_TRY(job, find_job(session, hold.id));
    if (job.fence != hold.fence)
        return fail(ErrorCode::conflict, "the job " + hold.id.text() + " was taken over by " + job.worker, "job",
                    "lease_lost");
    return fail(ErrorCode::conflict, "the job " + hold.id.text() + " is " + name(job.state) + " and cannot " + step,
                "job", "job_state");
}

}  // namespace

const char* name(JobState state) {
    switch (state) {
        case JobState::validating_files:
            return "validating_files";
        case JobState::queued:
            return "queued";
        case JobState::running:
            return "running";
        case JobState::paused:
            return "paused";
        case JobState::succeeded:
            return "succeeded";
        case JobState::failed:
            return "failed";
        case JobState::cancelled:
            return "cancelled";
    }
    return "failed";
}

Job add_job(store::Session& session, const TenantId& owner, std::string_view kind, const json::value& settings,
            const JobId& id, Timestamp now, std::string_view worker) {
    Job job;
    job.id = id;
    job.owner = owner;
    job.kind = kind;
    job.state = worker.empty() ? JobState::validating_files : JobState::queued;
    job.settings = settings;
    job.worker = worker;
    job.created = now;
    session.execute(
        "INSERT INTO job (id, tenant_id, kind, state, wish, settings, progress, error_code, error_message, "
        "error_param, "
        "adapter_id, seconds, worker, fence, lease_until, attempts, created_at) VALUES (:id, :tenant, :kind, :state, "
        "'run', :settings, 'null', '', '', '', '', 0, :worker, 0, 0, 0, :now)",
        id, owner, kind, std::string(name(job.state)), text_column(settings), worker, now);
    return job;
}

Result<void> start_job(store::Session& session, const JobHold& job, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'running', started_at = COALESCE(started_at, :now) "
        "WHERE id = :id AND fence = :fence AND (state = 'queued' OR (state = 'running' AND fence > 0))",
        now, job.id, job.fence);
    return outcome(session, job, changed, "start");
}

Result<JobHold> resume_job(store::Session& session, const JobId& id, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'running', wish = 'run', started_at = :now, finished_at = NULL, error_code = '', "
        "error_message = '', error_param = '', worker = 'command', lease_until = 0, fence = fence + 1 "
        "WHERE id = :id AND state <> 'succeeded'",
        now, id);
    ROOTSTOCK_TRY(job, find_job(session, id));
    ROOTSTOCK_CHECKED(outcome(session, {id, job.fence}, changed, "go on"));
    return JobHold{id, job.fence};
}

Result<void> set_job_settings(store::Session& session, const JobHold& job, const json::value& settings) {
    const auto changed = session.execute("UPDATE job SET settings = :settings WHERE id = :id AND fence = :fence",
                                         text_column(settings), job.id, job.fence);
    return outcome(session, job, changed, "be prepared");
}

Result<void> set_job_progress(store::Session& session, const JobHold& job, const json::value& progress) {
    const auto changed =
        session.execute("UPDATE job SET progress = :progress WHERE id = :id AND fence = :fence AND state = 'running'",
                        text_column(progress), job.id, job.fence);
    return outcome(session, job, changed, "make progress");
}

Result<void> queue_job(store::Session& session, const JobHold& job) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'queued' WHERE id = :id AND fence = :fence AND state = 'validating_files'", job.id,
        job.fence);
    return outcome(session, job, changed, "be queued");
}

Result<void> succeed_job(store::Session& session, const JobHold& job, const AdapterId& adapter, double seconds,
                         Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'succeeded', adapter_id = :adapter, seconds = :seconds, finished_at = :now, worker = "
        "'' "
        "WHERE id = :id AND fence = :fence AND state = 'running'",
        adapter, seconds, now, job.id, job.fence);
    return outcome(session, job, changed, "succeed");
}

Result<void> fail_job(store::Session& session, const JobHold& job, const Error& error, double seconds, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'failed', error_code = :code, error_message = :message, error_param = :param, "
        "seconds = :seconds, finished_at = :now, worker = '' WHERE id = :id AND fence = :fence AND "
        "state IN ('validating_files', 'queued', 'running', 'paused')",
        std::string(rootstock::name(error.code)), error.message, error.param, seconds, now, job.id, job.fence);
    return outcome(session, job, changed, "fail");
}

Result<void> cancel_job(store::Session& session, const JobHold& job, double seconds, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'cancelled', seconds = :seconds, finished_at = :now, worker = '' "
        "WHERE id = :id AND fence = :fence AND state IN ('validating_files', 'queued', 'running', 'paused')",
        seconds, now, job.id, job.fence);
    return outcome(session, job, changed, "be cancelled");
}

// attempts start anew: a pause is an outcome.
Result<void> pause_job(store::Session& session, const JobHold& job, double seconds) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'paused', wish = 'run', seconds = :seconds, worker = '', attempts = 0 "
        "WHERE id = :id AND fence = :fence AND state IN ('validating_files', 'queued', 'running')",
        seconds, job.id, job.fence);
    return outcome(session, job, changed, "be paused");
}

Result<Job> find_job(store::Session& session, const JobId& id) {
    auto found = select(session, "WHERE id = :id", id);
    if (found.empty()) return no_job(id);
    return std::move(found.front());
}

Result<Job> find_job(store::Session& session, const TenantId& tenant, const JobId& id) {
    auto found = select(session, "WHERE id = :id AND tenant_id = :tenant", id, tenant);
    if (found.empty()) return no_job(id);
    return std::move(found.front());
}

std::vector<Job> list_jobs(store::Session& session, const TenantId& owner, bool everybody) {
    if (everybody) return select(session, "ORDER BY id DESC");
    return select(session, "WHERE tenant_id = :tenant ORDER BY id DESC", owner);
}

// ---- leases ----

namespace {

constexpr const char* waiting =
    "WHERE kind = :kind AND worker <> 'command' AND state IN ('validating_files', 'queued', 'running') AND "
    "wish = 'run' AND lease_until <= :now AND attempts < :most ORDER BY id LIMIT 1";

}  // namespace

bool job_waits(store::Session& session, std::string_view kind, Timestamp now) {
    return session.first<JobId>(std::string("SELECT id FROM job ") + waiting, kind, now, leases_max).has_value();
}

std::optional<Job> lease_job(store::Session& session, std::string_view kind, const std::string& worker, Timestamp now,
                             double seconds) {
    auto found = select(session, waiting, kind, now, leases_max);
    if (found.empty()) return std::nullopt;
    Job job = std::move(found.front());
    job.worker = worker;
    ++job.fence;
    ++job.attempts;
    session.execute(
        "UPDATE job SET worker = :worker, fence = :fence, attempts = :attempts, lease_until = :until WHERE id = :id",
        worker, job.fence, job.attempts, after(now, seconds), job.id);
    return job;
}

Result<JobWish> renew_lease(store::Session& session, const JobHold& job, Timestamp now, double seconds) {
    const auto changed = session.execute("UPDATE job SET lease_until = :until WHERE id = :id AND fence = :fence",
                                         after(now, seconds), job.id, job.fence);
    ROOTSTOCK_CHECKED(outcome(session, job, changed, "be worked on"));
    ROOTSTOCK_TRY(current, find_job(session, job.id));
    return current.wish;
}

Result<void> release_lease(store::Session& session, const JobHold& job, double seconds, bool blameless, Timestamp now,
                           double wait) {
    const auto changed = session.execute(
        "UPDATE job SET worker = '', seconds = :seconds, lease_until = :until, "
        "attempts = CASE WHEN :blameless = 1 AND attempts > 0 THEN attempts - 1 ELSE attempts END "
        "WHERE id = :id AND fence = :fence",
        seconds, after(now, wait), blameless, job.id, job.fence);
    return outcome(session, job, changed, "be given back");
}

std::vector<Job> stranded_jobs(store::Session& session, Timestamp now) {
    return select(session,
                  "WHERE worker <> 'command' AND state IN ('validating_files', 'queued', 'running') AND "
                  "lease_until <= :now AND (wish <> 'run' OR attempts >= :most) ORDER BY id",
                  now, leases_max);
}

// ---- wishes of the owner ----

namespace {

// The wish, for whoever works on it now or takes it over; without a worker it comes true at once.
Result<void> wish(store::Session& session, const TenantId& tenant, const JobId& id, const char* word, Timestamp now) {
    ROOTSTOCK_TRY(job, find_job(session, tenant, id));
    const auto changed = session.execute(
        "UPDATE job SET wish = :wish WHERE id = :id AND worker <> 'command' AND state IN ('validating_files', "
        "'queued', 'running')",
        std::string(word), id);
    if (changed == 1 && !job.worker.empty()) return {};
    const JobHold hold{id, job.fence};
    if (std::string_view(word) == "pause") return pause_job(session, hold, job.seconds);
    return cancel_job(session, hold, job.seconds, now);
}

}  // namespace

Result<void> wish_pause(store::Session& session, const TenantId& tenant, const JobId& id, Timestamp now) {
    return wish(session, tenant, id, "pause", now);
}

Result<void> wish_cancel(store::Session& session, const TenantId& tenant, const JobId& id, Timestamp now) {
    return wish(session, tenant, id, "cancel", now);
}

Result<void> wish_resume(store::Session& session, const TenantId& tenant, const JobId& id) {
    ROOTSTOCK_TRY(job, find_job(session, tenant, id));
    // A job that was paused before its files were read begins with them.
    const std::string state = job.settings.is_null() ? "validating_files" : "queued";
    const auto changed = session.execute(
        "UPDATE job SET state = :state, wish = 'run', lease_until = 0 WHERE id = :id AND state = 'paused'", state, id);
    return outcome(session, {id, job.fence}, changed, "be resumed");
}

}  // namespace rootstock::catalog
