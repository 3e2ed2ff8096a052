#include "catalog/jobs.h"

#include <array>

#include "catalog/columns.h"

namespace rootstock::catalog {
namespace {

constexpr std::array states{JobState::queued, JobState::running, JobState::succeeded, JobState::failed,
                            JobState::cancelled};
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

template <typename... Args>
std::vector<Job> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Job> jobs;
    session.for_each<JobId, TenantId, std::string, std::string, std::string, std::string, std::string, std::string,
                     AdapterId, double, Timestamp, std::optional<Timestamp>, std::optional<Timestamp>>(
        "SELECT id, tenant_id, kind, state, settings, progress, error_code, error_message, adapter_id, seconds, "
        "created_at, started_at, finished_at FROM job " +
            rest,
        [&](JobId id, TenantId owner, std::string kind, const std::string& state, const std::string& settings,
            const std::string& progress, const std::string& code, std::string message, AdapterId adapter,
            double seconds, Timestamp created, auto started, auto finished) {
            const auto job_state = named(states, state, [](JobState value) { return name(value); });
            const auto error = named(codes, code, [](ErrorCode value) { return rootstock::name(value); });
            jobs.push_back({std::move(id),
                            std::move(owner),
                            std::move(kind),
                            job_state,
                            json_column(settings),
                            json_column(progress),
                            {error, std::move(message), {}, {}},
                            std::move(adapter),
                            seconds,
                            created,
                            started,
                            finished});
        },
        args...);
    return jobs;
}

std::unexpected<Error> no_job(const JobId& id) {
    return fail(ErrorCode::not_found, "there is no job '" + id.text() + "'", "job", "job_not_found");
}

// `changed` is what an UPDATE that names the allowed states returned.
Result<void> outcome(store::Session& session, const JobId& id, std::int64_t changed, const char* step) {
    if (changed == 1) return {};
    ROOTSTOCK_TRY(job, find_job(session, id));
    return fail(ErrorCode::conflict, "the job " + id.text() + " is " + name(job.state) + " and cannot " + step, "job",
                "job_state");
}

}  // namespace

const char* name(JobState state) {
    switch (state) {
        case JobState::queued:
            return "queued";
        case JobState::running:
            return "running";
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
            const JobId& id, Timestamp now) {
    session.execute(
        "INSERT INTO job (id, tenant_id, kind, state, settings, progress, error_code, error_message, adapter_id, "
        "seconds, created_at) VALUES (:id, :tenant, :kind, 'queued', :settings, 'null', '', '', '', 0, :now)",
        id, owner, kind, text_column(settings), now);
    Job job;
    job.id = id;
    job.owner = owner;
    job.kind = kind;
    job.settings = settings;
    job.created = now;
    return job;
}

Result<void> start_job(store::Session& session, const JobId& id, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'running', started_at = :now WHERE id = :id AND state = 'queued'", now, id);
    return outcome(session, id, changed, "start");
}

Result<void> resume_job(store::Session& session, const JobId& id, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'running', started_at = :now, finished_at = NULL, error_code = '', error_message = '' "
        "WHERE id = :id AND state <> 'succeeded'",
        now, id);
    return outcome(session, id, changed, "go on");
}

Result<void> set_job_progress(store::Session& session, const JobId& id, const json::value& progress) {
    const auto changed = session.execute("UPDATE job SET progress = :progress WHERE id = :id AND state = 'running'",
                                         text_column(progress), id);
    return outcome(session, id, changed, "make progress");
}

Result<void> succeed_job(store::Session& session, const JobId& id, const AdapterId& adapter, double seconds,
                         Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'succeeded', adapter_id = :adapter, seconds = :seconds, finished_at = :now "
        "WHERE id = :id AND state = 'running'",
        adapter, seconds, now, id);
    return outcome(session, id, changed, "succeed");
}

Result<void> fail_job(store::Session& session, const JobId& id, const Error& error, double seconds, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'failed', error_code = :code, error_message = :message, seconds = :seconds, "
        "finished_at = :now WHERE id = :id AND state IN ('queued', 'running')",
        std::string(rootstock::name(error.code)), error.message, seconds, now, id);
    return outcome(session, id, changed, "fail");
}

Result<void> cancel_job(store::Session& session, const JobId& id, double seconds, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE job SET state = 'cancelled', seconds = :seconds, finished_at = :now "
        "WHERE id = :id AND state IN ('queued', 'running')",
        seconds, now, id);
    return outcome(session, id, changed, "be cancelled");
}

Result<Job> find_job(store::Session& session, const JobId& id) {
    auto found = select(session, "WHERE id = :id", id);
    if (found.empty()) return no_job(id);
    return std::move(found.front());
}

std::vector<Job> list_jobs(store::Session& session, const TenantId& owner, bool everybody) {
    if (everybody) return select(session, "ORDER BY id DESC");
    return select(session, "WHERE tenant_id = :tenant ORDER BY id DESC", owner);
}

}  // namespace rootstock::catalog
