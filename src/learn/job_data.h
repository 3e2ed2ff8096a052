#pragma once
// Everything a job needs in memory before the first step: checked settings, the base model, tokenised rows, the split.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "base/base.h"
#include "data/data.h"
#include "model/model.h"

namespace rootstock {

struct JobData {
    std::filesystem::path folder;
    JobSpec spec;
    std::string digest;  // over job.json and train.jsonl: a checkpoint belongs to one job only
    Model model;
    int max_tokens = 0;  // of a row: the settings' limit within the model's
    std::vector<TextExample> examples;
    std::vector<std::vector<std::int32_t>>
        rows;                                  // tokens of each example; of pictures as many as the model makes of one
    std::optional<PictureReader> pictures;     // examples are paths of pictures, read anew for each batch
    std::vector<std::size_t> train, held_out;  // indices into both
    std::int64_t truncated = 0;                // examples cut to max_tokens

    std::int64_t tokens() const;  // of the training rows
    // The chosen examples as the classifier takes them. Errors besides those of staging: of a picture's file.
    Result<StagedBatch> stage(const SequenceClassifier& classifier, const std::vector<std::size_t>& chosen) const;
    std::vector<std::int64_t> labels(const std::vector<std::size_t>& chosen) const;
};

// invalid_argument, not_found, corrupt...: see read_job_spec, load_model, Tokenizer::load, read_training_rows.
// conflict: the base folder is not the base that job.json names.
Result<JobData> load_job(const std::filesystem::path& folder);

}  // namespace rootstock
