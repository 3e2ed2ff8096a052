#pragma once
// Measures of a single-label classifier, and of a model that gives numbers.
//
// Precision, recall, F1, macro and weighted averages as scikit-learn's classification_report with zero_division=0.
// Calibration: expected calibration error over 15 equal-width bins of the top probability (Guo et al., 2017).
// Log loss: mean of -ln p(true class), p kept within 2^-52 of 0 and 1 (as scikit-learn). Brier score: mean squared
// distance between the probabilities and the one-hot truth, summed over classes (Brier, 1950; 0 best, 2 worst).
// ROC AUC: of each class against all others by its probability, equal ones counting half (scikit-learn's one-vs-rest),
// and the mean over the classes that have examples and counterexamples; of two classes both are the same.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct ClassMeasures {
    std::string label = {};
    double precision = 0;
    double recall = 0;
    double f1 = 0;
    std::int64_t support = 0;  // true examples of the class
};

struct AverageMeasures {
    double precision = 0;
    double recall = 0;
    double f1 = 0;
};

// Predictions whose top probability lies in (low, high]; the first bin includes its low end.
struct ReliabilityBin {
    double low = 0;
    double high = 0;
    std::int64_t count = 0;
    double confidence = 0;  // mean top probability; 0 when empty
    double accuracy = 0;    // share of right answers; 0 when empty
};

struct TopAccuracy {
    int k = 1;
    double accuracy = 0;
};

struct Confusion {
    std::int32_t truth = 0;
    std::int32_t predicted = 0;
    std::int64_t count = 0;
};

struct ClassificationReport {
    std::int64_t examples = 0;
    double accuracy = 0;
    std::vector<ClassMeasures> classes;   // in label order
    AverageMeasures macro;                // every class counts the same
    AverageMeasures weighted;             // by support
    std::vector<std::int64_t> confusion;  // [classes, classes]: row true class, column predicted class
    std::vector<TopAccuracy> top;         // k = 1, 3, 5 as far as there are more classes than k
    double log_loss = 0;
    double brier = 0;
    double calibration_error = 0;      // ECE
    std::optional<double> roc_auc;     // nothing when all examples are of one class
    std::vector<ReliabilityBin> bins;  // 15

    std::int64_t confused(std::size_t truth, std::size_t predicted) const {
        return confusion[truth * classes.size() + predicted];
    }
};

// `truth` holds n class indices; `probabilities` is [n, labels.size()], each row summing to one (within 1e-3).
// The predicted class is the first with the highest probability.
// invalid_argument: no examples, sizes that do not fit, a label outside the classes, a row that is no distribution.
Result<ClassificationReport> measure_classification(std::span<const std::string> labels,
                                                    std::span<const std::int32_t> truth,
                                                    std::span<const float> probabilities);

// Measures of predicted numbers, as scikit-learn's root_mean_squared_error, mean_absolute_error and r2_score.
struct NumberReport {
    std::int64_t examples = 0;
    double rmse = 0, mae = 0;
    std::optional<double> r2;  // share of the variance that is explained; nothing when the truth does not vary
};

// invalid_argument: no examples, different sizes, a number that is not finite.
Result<NumberReport> measure_numbers(std::span<const double> truth, std::span<const double> predicted);
json::value to_json(const NumberReport& report);

// The `count` largest errors, largest first, as indices.
std::vector<std::size_t> largest_errors(std::span<const double> truth, std::span<const double> predicted,
                                        std::size_t count);

// Pairs of different classes by how often one was taken for the other, most first, at most `count`.
std::vector<Confusion> most_confused(const ClassificationReport& report, std::size_t count);

// The `count` wrong answers with the highest probability, highest first, as indices into truth.
std::vector<std::size_t> confident_mistakes(std::span<const std::int32_t> truth, std::span<const float> probabilities,
                                            std::size_t classes, std::size_t count);

json::value to_json(const ClassificationReport& report);

}  // namespace rootstock
