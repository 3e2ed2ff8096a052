#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluate/metrics.h"

namespace rootstock {

Result<NumberReport> measure_numbers(std::span<const double> truth, std::span<const double> predicted) {
    if (truth.empty()) return fail(ErrorCode::invalid_argument, "there is no example to evaluate");
    if (truth.size() != predicted.size())
        return fail(ErrorCode::invalid_argument,
                    fmt::format("{} predictions do not fit {} examples", predicted.size(), truth.size()));
    const auto count = static_cast<double>(truth.size());
    const double mean = std::accumulate(truth.begin(), truth.end(), 0.0) / count;
    NumberReport report;
    double squares = 0, spread = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
        const double error = predicted[i] - truth[i];
        if (!std::isfinite(error))
            return fail(ErrorCode::invalid_argument, fmt::format("example {} has a number that is not finite", i));
        squares += error * error;
        report.mae += std::abs(error);
        spread += (truth[i] - mean) * (truth[i] - mean);
    }
    report.examples = static_cast<std::int64_t>(truth.size());
    report.rmse = std::sqrt(squares / count);
    report.mae /= count;
    if (spread > 0) report.r2 = 1 - squares / spread;
    return report;
}

std::vector<std::size_t> largest_errors(std::span<const double> truth, std::span<const double> predicted,
                                        std::size_t count) {
    ROOTSTOCK_CHECK(truth.size() == predicted.size(), "a prediction for every example");
    std::vector<std::size_t> order(truth.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto error = [&](std::size_t i) { return std::abs(predicted[i] - truth[i]); };
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return error(a) > error(b); });
    order.resize(std::min(order.size(), count));
    return order;
}

json::value to_json(const NumberReport& report) {
    return json::object{{"examples", report.examples},
                        {"rmse", report.rmse},
                        {"mae", report.mae},
                        {"r2", report.r2 ? json::value(*report.r2) : json::value(nullptr)}};
}

}  // namespace rootstock
