#pragma once
// From a customer's order to a prepared job: files, hyperparameters, price. Internal to flow/.

#include "flow/tune.h"
#include "flow/tuning/prepare.h"

namespace rootstock {

struct OrderedJob {
    TuningJob job;
    json::object hyperparameters;  // with "auto" settled
    std::int64_t tokens = 0;       // of all examples, each cut to the job's length
    std::vector<std::string> warnings;
    catalog::Dataset dataset;
};

// Reads the order's files and writes the job's folder. invalid_argument with the faulty rows named; the sentences
// speak of the files as the customer called them.
Result<OrderedJob> prepare_ordered(const TuneParts& parts, const catalog::Tuning& tuning, const catalog::JobHold& hold);

// "ft:all-MiniLM-L6-v2:acme:support:1f2e3d4c5b6a"
std::string tuned_model_name(const catalog::Tuning& tuning, const std::string& base);

// The step metrics of a job as CSV: step,train_loss,valid_loss,valid_accuracy.
std::string result_csv(const std::filesystem::path& job_folder);

// Tokens the learner went through: those of the rows it learned from, times the passes it made.
std::int64_t trained_tokens(const std::filesystem::path& job_folder);

}  // namespace rootstock
