#pragma once
// The rows of a classification job: texts tokenised once, or pictures read anew for each batch; split once.

#include <cstdint>
#include <optional>
#include <vector>

#include "autograd/autograd.h"
#include "data/data.h"
#include "learn/job.h"

namespace rootstock {

struct ClassifyRows {
    int max_tokens = 0;  // of a row: the settings' limit within the model's
    std::vector<TextExample> examples;
    std::vector<std::vector<std::int32_t>>
        rows;                                  // tokens of each example; of pictures as many as the model makes of one
    std::optional<PictureReader> pictures;     // the examples' texts are paths of pictures
    std::vector<std::size_t> train, held_out;  // indices into both
    std::int64_t truncated = 0;                // examples cut to max_tokens

    std::int64_t tokens() const;  // of the training rows
    std::int64_t tokens_of(const std::vector<std::size_t>& chosen) const;
    // The chosen examples as the classifier takes them. Errors besides those of staging: of a picture's file.
    Result<StagedBatch> stage(const SequenceClassifier& classifier, const std::vector<std::size_t>& chosen) const;
    std::vector<std::int64_t> labels(const std::vector<std::size_t>& chosen) const;
};

// invalid_argument, not_found, corrupt...: see Tokenizer::load, read_training_rows; fewer than two labels.
Result<ClassifyRows> load_classify_rows(const Job& job, const TransformerSpec& spec);

}  // namespace rootstock
