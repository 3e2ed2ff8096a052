#pragma once
// What a classifier is trained for and measured by.

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "autograd/autograd.h"
#include "learn/job_data.h"

namespace rootstock {

// Mean cross-entropy of fp32 logits [rows, classes]; a share `smoothing` of each target is spread over all classes.
torch::Tensor classification_loss(const torch::Tensor& logits, const torch::Tensor& labels, double smoothing);

struct Score {
    double loss = 0;      // mean cross-entropy, without smoothing
    double accuracy = 0;  // share of rows whose largest logit is the label's

    // Accuracy decides, loss breaks ties.
    bool better_than(const Score& other) const {
        return accuracy != other.accuracy ? accuracy > other.accuracy : loss < other.loss;
    }
};

Result<Score> evaluate_classifier(SequenceClassifier& classifier, const JobData& job,
                                  const std::vector<std::size_t>& rows);

}  // namespace rootstock
