#pragma once
// Numbers brought to a common scale, as scikit-learn's StandardScaler and QuantileTransformer (to the normal
// distribution, without subsampling) do.

#include <cstddef>
#include <span>
#include <vector>

namespace rootstock {

struct NumberScaling {
    enum class Kind { none, standard, quantile };

    Kind kind = Kind::none;
    double mean = 0, deviation = 1;  // standard
    std::vector<double> quantiles;   // quantile: at even steps from 0 to 1, ascending, at least one
    bool operator==(const NumberScaling&) const = default;

    double apply(double value) const;
    double undo(double scaled) const;  // a quantile's extremes come back as the smallest and largest value learned
};

// The deviation is that of the population; a constant column keeps the deviation 1.
NumberScaling learn_standard_scaling(std::span<const double> values);

// `count` quantiles, at most one for each value.
NumberScaling learn_quantile_scaling(std::span<const double> values, std::size_t count);

// As the FT-Transformer's authors choose: one for every thirty values, at least ten, at most a thousand.
std::size_t quantile_count(std::size_t values);

// The standard normal distribution: the value below which the share p lies (0 < p < 1), and the way back.
double normal_quantile(double p);
double normal_share(double value);

}  // namespace rootstock
