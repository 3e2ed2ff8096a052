#include "evaluate/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rootstock {
namespace {

constexpr std::size_t bin_count = 15;
constexpr double sum_tolerance = 1e-3;

// One example: its probabilities and its true class.
struct Example {
    std::span<const float> probabilities;
    std::size_t truth;
};

std::size_t first_highest(std::span<const float> row) {
    return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

Result<void> check_row(std::span<const float> row, std::size_t index) {
    double sum = 0;
    for (float p : row) {
        if (!(p >= -sum_tolerance && p <= 1 + sum_tolerance))
            return fail(ErrorCode::invalid_argument,
                        fmt::format("example {} has the probability {}, which lies outside 0 to 1", index, p));
        sum += p;
    }
    if (std::abs(sum - 1) <= sum_tolerance) return {};
    return fail(ErrorCode::invalid_argument,
                fmt::format("the probabilities of example {} sum to {} instead of 1", index, sum));
}

Result<std::vector<Example>> gather(std::size_t classes, std::span<const std::int32_t> truth,
                                    std::span<const float> probabilities) {
    if (truth.empty()) return fail(ErrorCode::invalid_argument, "there is no example to evaluate");
    if (classes == 0) return fail(ErrorCode::invalid_argument, "there are no labels to evaluate");
    if (probabilities.size() != truth.size() * classes)
        return fail(ErrorCode::invalid_argument, fmt::format("{} probabilities do not fit {} examples of {} classes",
                                                             probabilities.size(), truth.size(), classes));
    std::vector<Example> examples;
    examples.reserve(truth.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
        if (truth[i] < 0 || static_cast<std::size_t>(truth[i]) >= classes)
            return fail(ErrorCode::invalid_argument,
                        fmt::format("example {} has label {}, but there are {} classes", i, truth[i], classes));
        auto row = probabilities.subspan(i * classes, classes);
        ROOTSTOCK_CHECKED(check_row(row, i));
        examples.push_back({row, static_cast<std::size_t>(truth[i])});
    }
    return examples;
}

double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

void measure_confusion(std::span<const Example> examples, ClassificationReport& report) {
    auto classes = report.classes.size();
    report.confusion.assign(classes * classes, 0);
    for (const auto& example : examples)
        ++report.confusion[example.truth * classes + first_highest(example.probabilities)];
}

void measure_classes(ClassificationReport& report) {
    auto classes = report.classes.size();
    for (std::size_t c = 0; c < classes; ++c) {
        std::int64_t predicted = 0, support = 0;
        for (std::size_t other = 0; other < classes; ++other) {
            predicted += report.confused(other, c);
            support += report.confused(c, other);
        }
        auto& measures = report.classes[c];
        auto right = static_cast<double>(report.confused(c, c));
        measures.support = support;
        measures.precision = ratio(right, static_cast<double>(predicted));
        measures.recall = ratio(right, static_cast<double>(support));
        measures.f1 = ratio(2 * right, static_cast<double>(predicted + support));
    }
}

AverageMeasures average(const std::vector<ClassMeasures>& classes, auto weight) {
    AverageMeasures sum;
    double total = 0;
    for (const auto& measures : classes) {
        double w = weight(measures);
        sum.precision += w * measures.precision;
        sum.recall += w * measures.recall;
        sum.f1 += w * measures.f1;
        total += w;
    }
    return {ratio(sum.precision, total), ratio(sum.recall, total), ratio(sum.f1, total)};
}

// Classes that beat the true one; of equal ones the first wins, as in the prediction.
int rank_of_truth(const Example& example) {
    auto own = example.probabilities[example.truth];
    int rank = 0;
    for (std::size_t c = 0; c < example.probabilities.size(); ++c)
        rank += example.probabilities[c] > own || (example.probabilities[c] == own && c < example.truth);
    return rank;
}

void measure_top(std::span<const Example> examples, ClassificationReport& report) {
    for (int k : {1, 3, 5}) {
        if (k > 1 && static_cast<std::size_t>(k) >= report.classes.size()) break;
        auto hits = std::ranges::count_if(examples, [&](const Example& e) { return rank_of_truth(e) < k; });
        report.top.push_back({k, ratio(static_cast<double>(hits), static_cast<double>(examples.size()))});
    }
    report.accuracy = report.top.front().accuracy;
}

void measure_scores(std::span<const Example> examples, ClassificationReport& report) {
    constexpr double smallest = std::numeric_limits<double>::epsilon();
    for (const auto& example : examples) {
        double own = example.probabilities[example.truth];
        report.log_loss -= std::log(std::clamp(own, smallest, 1 - smallest));
        for (std::size_t c = 0; c < example.probabilities.size(); ++c) {
            double error = example.probabilities[c] - (c == example.truth ? 1.0 : 0.0);
            report.brier += error * error;
        }
    }
    report.log_loss /= static_cast<double>(examples.size());
    report.brier /= static_cast<double>(examples.size());
}

std::size_t bin_of(double confidence) {
    auto bin = static_cast<std::ptrdiff_t>(std::ceil(confidence * static_cast<double>(bin_count))) - 1;
    return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(bin, 0, bin_count - 1));
}

void measure_calibration(std::span<const Example> examples, ClassificationReport& report) {
    report.bins.resize(bin_count);
    for (const auto& example : examples) {
        auto predicted = first_highest(example.probabilities);
        double confidence = example.probabilities[predicted];
        auto& bin = report.bins[bin_of(confidence)];
        ++bin.count;
        bin.confidence += confidence;
        bin.accuracy += predicted == example.truth;
    }
    for (std::size_t b = 0; b < bin_count; ++b) {
        auto& bin = report.bins[b];
        auto count = static_cast<double>(bin.count);
        bin.low = static_cast<double>(b) / static_cast<double>(bin_count);
        bin.high = static_cast<double>(b + 1) / static_cast<double>(bin_count);
        bin.confidence = ratio(bin.confidence, count);
        bin.accuracy = ratio(bin.accuracy, count);
        report.calibration_error +=
            std::abs(bin.accuracy - bin.confidence) * count / static_cast<double>(examples.size());
    }
}

// The share of pairs (one of the class, one of another) in which the class's own has the higher probability: from the
// sum of ranks (Mann and Whitney, 1947), equal ones with their mean rank. Nothing without such pairs.
std::optional<double> class_auc(std::span<const Example> examples, std::size_t c) {
    std::vector<std::pair<float, bool>> ranked;
    for (const auto& example : examples) ranked.emplace_back(example.probabilities[c], example.truth == c);
    std::ranges::sort(ranked, {}, [](const auto& one) { return one.first; });
    double own = 0, rank_sum = 0;
    for (std::size_t begin = 0, end = 0; begin < ranked.size(); begin = end) {
        double inside = 0;
        for (; end < ranked.size() && ranked[end].first == ranked[begin].first; ++end) inside += ranked[end].second;
        own += inside;
        rank_sum += inside * static_cast<double>(begin + 1 + end) / 2;
    }
    const double others = static_cast<double>(ranked.size()) - own;
    if (own == 0 || others == 0) return std::nullopt;
    return (rank_sum - own * (own + 1) / 2) / (own * others);
}

void measure_ranking(std::span<const Example> examples, ClassificationReport& report) {
    double sum = 0, classes = 0;
    for (std::size_t c = 0; c < report.classes.size(); ++c)
        if (const auto auc = class_auc(examples, c)) sum += *auc, ++classes;
    if (classes > 0) report.roc_auc = sum / classes;
}

}  // namespace

Result<ClassificationReport> measure_classification(std::span<const std::string> labels,
                                                    std::span<const std::int32_t> truth,
                                                    std::span<const float> probabilities) {
    ROOTSTOCK_TRY(examples, gather(labels.size(), truth, probabilities));
    ClassificationReport report;
    report.examples = static_cast<std::int64_t>(examples.size());
    for (const auto& label : labels) report.classes.push_back({.label = label});
    measure_confusion(examples, report);
    measure_classes(report);
    report.macro = average(report.classes, [](const ClassMeasures&) { return 1.0; });
    report.weighted = average(report.classes, [](const ClassMeasures& m) { return static_cast<double>(m.support); });
    measure_top(examples, report);
    measure_scores(examples, report);
    measure_calibration(examples, report);
    measure_ranking(examples, report);
    return report;
}

std::vector<Confusion> most_confused(const ClassificationReport& report, std::size_t count) {
    std::vector<Confusion> pairs;
    for (std::size_t truth = 0; truth < report.classes.size(); ++truth)
        for (std::size_t predicted = 0; predicted < report.classes.size(); ++predicted)
            if (auto times = report.confused(truth, predicted); times > 0 && truth != predicted)
                pairs.push_back({static_cast<std::int32_t>(truth), static_cast<std::int32_t>(predicted), times});
    std::ranges::stable_sort(pairs, std::greater{}, &Confusion::count);
    pairs.resize(std::min(pairs.size(), count));
    return pairs;
}

std::vector<std::size_t> confident_mistakes(std::span<const std::int32_t> truth, std::span<const float> probabilities,
                                            std::size_t classes, std::size_t count) {
    ROOTSTOCK_CHECK(probabilities.size() == truth.size() * classes, "a probability for every example and class");
    std::vector<std::pair<float, std::size_t>> wrong;
    for (std::size_t i = 0; i < truth.size(); ++i) {
        auto row = probabilities.subspan(i * classes, classes);
        auto predicted = first_highest(row);
        if (predicted != static_cast<std::size_t>(truth[i])) wrong.emplace_back(row[predicted], i);
    }
    std::ranges::stable_sort(wrong, [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < std::min(count, wrong.size()); ++i) chosen.push_back(wrong[i].second);
    return chosen;
}

}  // namespace rootstock
