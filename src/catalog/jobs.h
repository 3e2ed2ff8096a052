#pragma once
// Jobs: queued -> running -> succeeded | failed | cancelled; a queued one may fail or be cancelled too.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::catalog {

enum class JobState { queued, running, succeeded, failed, cancelled };
const char* name(JobState state);

struct Job {
    JobId id;
    TenantId owner;    // empty: the house
    std::string kind;  // "finetune"
    JobState state = JobState::queued;
    json::value settings;  // as asked for
    json::value progress;  // the newest event of the learner
    Error error;           // when failed
    AdapterId adapter;     // when succeeded
    double seconds = 0;    // machine time spent
    Timestamp created;
    std::optional<Timestamp> started, finished;
};

Job add_job(store::Session& session, const TenantId& owner, std::string_view kind, const json::value& settings,
            const JobId& id, Timestamp now);

// All return conflict, reason "job_state", when the job is not in a state for it, and not_found for an unknown one.
Result<void> start_job(store::Session& session, const JobId& id, Timestamp now);
// Takes up a job that stopped: failed, cancelled, or running with its process dead (the caller knows) -> running.
Result<void> resume_job(store::Session& session, const JobId& id, Timestamp now);
Result<void> set_job_progress(store::Session& session, const JobId& id, const json::value& progress);
Result<void> succeed_job(store::Session& session, const JobId& id, const AdapterId& adapter, double seconds,
                         Timestamp now);
Result<void> fail_job(store::Session& session, const JobId& id, const Error& error, double seconds, Timestamp now);
Result<void> cancel_job(store::Session& session, const JobId& id, double seconds, Timestamp now);

Result<Job> find_job(store::Session& session, const JobId& id);
// The owner's jobs, newest first; with everybody=true those of all.
std::vector<Job> list_jobs(store::Session& session, const TenantId& owner, bool everybody = false);

}  // namespace rootstock::catalog
