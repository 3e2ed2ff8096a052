#pragma once
// What a table model is worth: on the rows of the evaluation file, or on those the learner held out.

#include "flow/tuning/task.h"

namespace rootstock {

// Errors of TableModel::load and check, of measuring.
Result<Examination> examine_table(const TuningJob& job, const Learned& learned);

}  // namespace rootstock
