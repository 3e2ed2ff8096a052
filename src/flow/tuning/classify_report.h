#pragma once
// The report of a classification job: measures, curves, settings and lineage on one page.

#include "flow/tuning/measure.h"
#include "flow/tuning/task.h"

namespace rootstock {

struct MeasuredRows {
    std::vector<TextExample> examples;
    std::string source;           // "test.csv", "validation rows of train.csv"
    std::int64_t kept_aside = 0;  // of that file
};

// The rows of the evaluation file, or those the learner held out: the same split by the same seed.
Result<MeasuredRows> measured_rows(const TuningJob& job);

// invalid_argument: no rows.
Result<std::unique_ptr<TuningReport>> classify_report(const TuningJob& job, const MeasuredRows& rows,
                                                      const Bench::Answers& answers, const json::object& done,
                                                      const std::string& executor);

}  // namespace rootstock
