#pragma once
// How a job is held while it is worked on, and what becomes of it in the end. The command line holds its jobs by its
// own process (finetune.cpp), a worker by a lease (leased.cpp).

#include "flow/finetune.h"
#include "flow/tuning/prepare.h"

namespace rootstock {

class JobKeeper {
public:
    virtual ~JobKeeper() = default;

    // The work begins: the job is running, and `job.hold` is what changes it from now on.
    virtual Result<void> begin(store::Session& session, TuningJob& job, Timestamp now) = 0;

    // Asked about five times a second while the learner works: shall it keep a checkpoint and stop?
    virtual bool stop() = 0;

    // The learner is done; files that go with the outcome are made now, before it is recorded.
    virtual Result<void> learned(const TuningJob& job) = 0;

    // The adapter is registered, in the same transaction.
    virtual Result<void> succeeded(store::Session& session, const TuningJob& job, const catalog::Adapter& adapter,
                                   Timestamp now) = 0;

    // It came to nothing, for now or for good. `seconds` of machine time in all.
    virtual Result<void> ended(store::Session& session, const TuningJob& job, const Error& error, double seconds,
                               Timestamp now) = 0;
};

// The journey from a prepared job to a registered adapter: learn, check, measure, register.
Result<FinetuneResult> work_on(FinetuneParts& parts, TuningJob& job, JobKeeper& keeper, FinetuneWatcher& watcher);

}  // namespace rootstock
