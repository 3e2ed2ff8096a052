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
    catalog::JobHold hold{JobId()};
};

struct Preparation {
    TuningJob job;
    PreparedJob summary;
    catalog::Dataset dataset;
};

// Reads and checks everything before anything is written; then the job's folder appears complete.
Result<Preparation> prepare_folder(FinetuneParts& parts, const FinetuneOrder& order, const JobId& id);

// The same, and the job is queued for the caller to work on.
Result<Preparation> prepare_job(FinetuneParts& parts, const FinetuneOrder& order);

// The job and its folder again, as they were written.
Result<TuningJob> find_tuning_job(FinetuneParts& parts, const JobId& id);

}  // namespace rootstock
