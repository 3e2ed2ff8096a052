#pragma once
// rootstock-learn at work: the child process that a job folder is handed to.

#include <vector>

#include "evaluate/evaluate.h"
#include "flow/finetune.h"
#include "flow/tuning/prepare.h"

namespace rootstock {

struct Learned {
    json::object done;   // the learner's last event
    double seconds = 0;  // machine time, this run and earlier ones of the job
};

// Starts rootstock-learn (beside the running program) and listens to its end. It is started a second time, from its
// checkpoint, when it dies once of something that is not the caller's fault. The newest event stands in the catalog.
// cancelled: we were interrupted and the learner kept a checkpoint; else what its error event said. `seconds` counts
// the machine time also then.
Result<Learned> run_learner(FinetuneParts& parts, const TuningJob& job, FinetuneWatcher& watcher, double& seconds);

// The curves of the report, from every event the job ever printed.
struct LearningCurves {
    std::vector<CurvePoint> loss, accuracy;
};
LearningCurves read_curves(const std::filesystem::path& job_folder);

}  // namespace rootstock
