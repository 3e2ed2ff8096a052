#pragma once
// Jobs: work that takes minutes or hours and outlives the process that does it.
//
//   validating_files -> queued -> running -> succeeded | failed | cancelled
//   validating_files, queued, running <-> paused;  any of them -> cancelled;  a failed or cancelled one can be taken up
//   again by hand (resume_job)
//
// A job is done by a worker that holds its lease: the lease ends by itself unless it is renewed, and whoever takes the
// job over gets a greater fencing number (Kleppmann, "How to do distributed locking", 2016). Every change of a job
// names the number it was taken with, so that a worker that slept through its lease changes nothing any more.
// Jobs of the command line run in the command's own process, without a lease; no worker takes them.
//
// What the owner wishes (pause, cancel) reaches a running job through its worker, which hears it when it renews.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/page.h"
#include "store/store.h"

namespace rootstock::catalog {

enum class JobState { validating_files, queued, running, paused, succeeded, failed, cancelled };
const char* name(JobState state);

enum class JobWish { run, pause, cancel };

struct Job {
    JobId id;
    TenantId owner;    // empty: the house
    std::string kind;  // "finetune"
    JobState state = JobState::queued;
    JobWish wish = JobWish::run;
    json::value settings;  // as asked for
    json::value progress;  // the newest event of the learner
    Error error;           // when failed; code, message and param
    AdapterId adapter;     // when succeeded
    double seconds = 0;    // machine time spent
    std::string worker;    // who does it: a worker, "command", or empty while nobody does
    std::int64_t fence = 0;
    int attempts = 0;  // leases that ended without an outcome
    Timestamp created;
    std::optional<Timestamp> started, finished;
};

// A job, as one who works on it names it: with the number it was taken with.
struct JobHold {
    JobHold(JobId job, std::int64_t number = 0) : id(std::move(job)), fence(number) {}  // 0: no lease, the command line
    JobId id;
    std::int64_t fence;
};

// `worker` "command": the caller does the work itself; empty: for whoever leases it, beginning with validating_files.
Job add_job(store::Session& session, const TenantId& owner, std::string_view kind, const json::value& settings,
            const JobId& id, Timestamp now, std::string_view worker = "command");

// All return conflict: reason "job_state" when the job is not in a state for it, "lease_lost" when somebody else holds
// it by now; and not_found for an unknown one.
Result<void> start_job(store::Session& session, const JobHold& job, Timestamp now);
// Takes up a job by hand, in the caller's own process: failed, cancelled, paused, or running with its process dead (the
// caller knows) -> running. Returns the new hold.
Result<JobHold> resume_job(store::Session& session, const JobId& id, Timestamp now);
Result<void> set_job_settings(store::Session& session, const JobHold& job, const json::value& settings);
Result<void> set_job_progress(store::Session& session, const JobHold& job, const json::value& progress);
Result<void> queue_job(store::Session& session, const JobHold& job);  // its files are valid
Result<void> succeed_job(store::Session& session, const JobHold& job, const AdapterId& adapter, double seconds,
                         Timestamp now);
Result<void> fail_job(store::Session& session, const JobHold& job, const Error& error, double seconds, Timestamp now);
Result<void> cancel_job(store::Session& session, const JobHold& job, double seconds, Timestamp now);
Result<void> pause_job(store::Session& session, const JobHold& job, double seconds);

Result<Job> find_job(store::Session& session, const JobId& id);
// A tenant's own; not_found, reason "job_not_found", for a foreign one.
Result<Job> find_job(store::Session& session, const TenantId& tenant, const JobId& id);
// The owner's jobs, newest first; with everybody=true those of all.
std::vector<Job> list_jobs(store::Session& session, const TenantId& owner, bool everybody = false);

// ---- leases ----

// The oldest job that waits for a worker, or whose worker's lease has ended; it is the caller's until now + seconds.
// After leases_max leases without an outcome a job is not given out any more (see stranded_jobs).
inline constexpr int leases_max = 4;
// Is there one? Asked often, and needs no write.
bool job_waits(store::Session& session, std::string_view kind, Timestamp now);
std::optional<Job> lease_job(store::Session& session, std::string_view kind, const std::string& worker, Timestamp now,
                             double seconds);

// Keeps it; returns what its owner wishes meanwhile. conflict, reason "lease_lost".
Result<JobWish> renew_lease(store::Session& session, const JobHold& job, Timestamp now, double seconds);

// Gives it back in its state, to be leased again after `wait` seconds. `seconds` of machine time so far. A blameless
// lease (the worker was told to stop) is not counted as an attempt.
Result<void> release_lease(store::Session& session, const JobHold& job, double seconds, bool blameless, Timestamp now,
                           double wait);

// Jobs nobody works on that were to be paused or cancelled, or have used up their leases: for the sweeper to end.
std::vector<Job> stranded_jobs(store::Session& session, Timestamp now);

// ---- wishes of the owner ----

// What has no worker is paused or cancelled at once; what is running gets the wish. conflict, reason "job_state".
Result<void> wish_pause(store::Session& session, const TenantId& tenant, const JobId& id, Timestamp now);
Result<void> wish_cancel(store::Session& session, const TenantId& tenant, const JobId& id, Timestamp now);
Result<void> wish_resume(store::Session& session, const TenantId& tenant, const JobId& id);  // paused -> where it was

}  // namespace rootstock::catalog
