#pragma once
// From files to a job folder and an open job.

#include "flow/finetune.h"
#include "flow/tuning/plan.h"

namespace rootstock {

struct TuningJob {
    JobId id;
    std::filesystem::path folder;
    TuningPlan plan;
    std::vector<std::string> labels;
    double seconds_before = 0;  // machine time of earlier runs
};

struct Preparation {
    TuningJob job;
    PreparedJob summary;
};

// Reads and checks everything before anything is written; then the folder appears complete and the job is queued.
Result<Preparation> prepare_job(FinetuneParts& parts, const FinetuneOrder& order);

// The job and its folder again, as they were written.
Result<TuningJob> find_tuning_job(FinetuneParts& parts, const JobId& id);

}  // namespace rootstock
