#pragma once
// What every task's report says about how the adapter was made.

#include <vector>

#include "evaluate/evaluate.h"
#include "flow/tuning/prepare.h"

namespace rootstock {

// LoRA and training settings, by the names people read.
std::vector<ReportFact> settings_facts(const TuningPlan& plan);

// Files, digests, and what the learner said at its end (`done`).
std::vector<ReportFact> lineage_facts(const TuningJob& job, const std::string& measured_on, const json::object& done,
                                      const std::string& executor);

// "train.csv" of a path.
std::string file_name(const std::string& path);

}  // namespace rootstock
