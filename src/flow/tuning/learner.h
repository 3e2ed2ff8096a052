#pragma once
// rootstock-learn at work: the child process that a job folder is handed to.

#include <optional>
#include <vector>

#include "evaluate/evaluate.h"
#include "flow/finetune.h"
#include "flow/tuning/keeper.h"
#include "flow/tuning/prepare.h"

namespace rootstock {

struct Learned {
    json::object done;   // the learner's last event
    double seconds = 0;  // machine time, this run and earlier ones of the job
};

// Starts rootstock-learn (beside the running program) and listens to its end. It is started a second time, from its
// checkpoint, when it dies once of something that is not the caller's fault. The newest event stands in the catalog.
// cancelled: we were interrupted, or the keeper said stop, and the learner kept a checkpoint; else what its error event
// said. `seconds` counts the machine time also then.
Result<Learned> run_learner(FinetuneParts& parts, const TuningJob& job, JobKeeper& keeper, FinetuneWatcher& watcher,
                            double& seconds);

// An event as the learner prints it: a JSON object with "event"; nothing for a line that is none.
std::optional<json::object> learner_event(const std::string& line);
std::string text_at(const json::object& event, std::string_view key);              // "" when absent or no string
std::optional<double> number_at(const json::object& event, std::string_view key);  // nothing when absent or no number

// The curves of the report, from every event the job ever printed.
struct LearningCurves {
    std::vector<CurvePoint> loss, accuracy;
};
LearningCurves read_curves(const std::filesystem::path& job_folder);

}  // namespace rootstock
