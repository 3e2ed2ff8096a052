#pragma once
// The adapter folder at the end of a run.

#include "autograd/autograd.h"
#include "learn/checkpoint/checkpoint.h"
#include "learn/job_data.h"

namespace rootstock {

// Writes folder/adapter/: the classifier's parameters, the labels, the lineage, and a few held-out texts with the
// logits that the fp32 reference gives them, so that whoever loads the adapter can ask again. A folder that a killed
// run of the same job left complete is kept: it holds the same numbers.
Result<void> publish_adapter(const JobData& job, const SequenceClassifier& classifier,
                             const TrainingProgress& progress);

}  // namespace rootstock
