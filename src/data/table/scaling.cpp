#include "data/table/scaling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/base.h"

namespace rootstock {
namespace {

// scikit-learn's bound: what lies this near to the smallest or largest value, or beyond, gets the extreme share.
constexpr double edge = 1e-7;

double step_share(std::size_t i, std::size_t count) {
    return count < 2 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
}

// Shares between two neighbouring quantiles, on the line through them.
double share_between(const std::vector<double>& quantiles, std::size_t at, double value) {
    auto low = quantiles[at], high = quantiles[at + 1];
    auto first = step_share(at, quantiles.size()), last = step_share(at + 1, quantiles.size());
    return first + (last - first) / (high - low) * (value - low);
}

// A value that stands at several quantiles gets the middle of their shares: the mean of the search from below and the
// search from above.
double share_of(const std::vector<double>& quantiles, double value) {
    if (value - edge < quantiles.front()) return 0;
    if (value + edge > quantiles.back()) return 1;
    auto lower = std::ranges::lower_bound(quantiles, value), upper = std::ranges::upper_bound(quantiles, value);
    auto first = static_cast<std::size_t>(lower - quantiles.begin());
    if (lower == upper) return share_between(quantiles, first - 1, value);
    auto last = static_cast<std::size_t>(upper - quantiles.begin()) - 1;
    return 0.5 * (step_share(first, quantiles.size()) + step_share(last, quantiles.size()));
}

double to_normal(double share) {
    static const double highest = normal_quantile(1 - (edge - std::numeric_limits<double>::epsilon()));
    if (share <= 0) return -highest;
    if (share >= 1) return highest;
    return std::clamp(normal_quantile(share), -highest, highest);
}

// The quantile at a share, on the line between the two nearest values.
double quantile_at(const std::vector<double>& sorted, double share) {
    double place = share * static_cast<double>(sorted.size() - 1);
    auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
    auto above = std::min(below + 1, sorted.size() - 1);
    double rest = place - static_cast<double>(below), gap = sorted[above] - sorted[below];
    return rest < 0.5 ? sorted[below] + gap * rest : sorted[above] - gap * (1 - rest);
}

template <std::size_t N>
double polynomial(const std::array<double, N>& coefficients, double x) {
    double sum = 0;
    for (double coefficient : coefficients) sum = sum * x + coefficient;
    return sum;
}

// P. J. Acklam's rational approximation for p <= 0.5, good to nine digits.
double rough_normal_quantile(double p) {
    constexpr std::array middle_above = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                         1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    constexpr std::array middle_below = {-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                                         6.680131188771972e+01,  -1.328068155288572e+01, 1.0};
    constexpr std::array tail_above = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                       -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    constexpr std::array tail_below = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                       3.754408661907416e+00, 1.0};
    if (p < 0.02425) {
        double q = std::sqrt(-2 * std::log(p));
        return polynomial(tail_above, q) / polynomial(tail_below, q);
    }
    double q = p - 0.5, r = q * q;
    return polynomial(middle_above, r) * q / polynomial(middle_below, r);
}

}  // namespace

double normal_share(double value) { return 0.5 * std::erfc(-value / std::numbers::sqrt2); }

double normal_quantile(double p) {
    ROOTSTOCK_CHECK(p > 0 && p < 1, "a share between 0 and 1");
    if (p > 0.5) return -normal_quantile(1 - p);
    double x = rough_normal_quantile(p);
    // One step of Halley's method takes nine digits to the last.
    double excess = (normal_share(x) - p) * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    return x - excess / (1 + x * excess / 2);
}

double NumberScaling::apply(double value) const {
    if (kind == Kind::none) return value;
    if (kind == Kind::standard) return (value - mean) / deviation;
    return to_normal(share_of(quantiles, value));
}

double NumberScaling::undo(double scaled) const {
    if (kind == Kind::none) return scaled;
    if (kind == Kind::standard) return scaled * deviation + mean;
    double share = normal_share(scaled);
    if (share - edge < 0) return quantiles.front();
    if (share + edge > 1) return quantiles.back();
    return quantile_at(quantiles, share);
}

NumberScaling learn_standard_scaling(std::span<const double> values) {
    ROOTSTOCK_CHECK(!values.empty(), "values to learn a scale from");
    const auto count = static_cast<double>(values.size());
    constexpr double epsilon = std::numeric_limits<double>::epsilon();
    NumberScaling scaling{NumberScaling::Kind::standard, 0, 1, {}};
    for (double value : values) scaling.mean += value / count;
    double squares = 0, rest = 0;
    for (double value : values) {
        squares += (value - scaling.mean) * (value - scaling.mean);
        rest += value - scaling.mean;
    }
    double variance = (squares - rest * rest / count) / count;
    // What rounding alone can leave of a constant column is no spread.
    double rounding = count * scaling.mean * epsilon;
    bool spread = variance > count * epsilon * variance + rounding * rounding || !std::isfinite(variance);
    if (spread) scaling.deviation = std::sqrt(variance);
    return scaling;
}

NumberScaling learn_quantile_scaling(std::span<const double> values, std::size_t count) {
    ROOTSTOCK_CHECK(!values.empty() && count > 0, "values to learn quantiles from");
    std::vector<double> sorted(values.begin(), values.end());
    std::ranges::sort(sorted);
    count = std::min(count, sorted.size());
    NumberScaling scaling{NumberScaling::Kind::quantile, 0, 1, {}};
    for (std::size_t i = 0; i < count; ++i) {
        double quantile = quantile_at(sorted, step_share(i, count));
        if (i > 0) quantile = std::max(quantile, scaling.quantiles.back());
        scaling.quantiles.push_back(quantile);
    }
    return scaling;
}

std::size_t quantile_count(std::size_t values) { return std::clamp<std::size_t>(values / 30, 10, 1000); }

}  // namespace rootstock
