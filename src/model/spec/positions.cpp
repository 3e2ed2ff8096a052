// Frequencies of rotary positions and buckets of relative ones, as transformers computes them: in fp32 where it does,
// for a bucket's border must fall on the same distance.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/spec/spec.h"

namespace rootstock {

namespace {

double theta_for(const Rotary& rotary, int tokens) {
    if (rotary.scaling != RotaryScaling::dynamic || tokens <= rotary.original) return rotary.theta;
    const double stretch = rotary.factor * tokens / rotary.original - (rotary.factor - 1);
    return rotary.theta * std::pow(stretch, static_cast<double>(rotary.width) / (rotary.width - 2));
}

// The frequency (as its index among pairs) that turns `turns` times over the original positions.
double yarn_index(const Rotary& rotary, double turns) {
    return rotary.width * std::log(rotary.original / (turns * 2 * std::numbers::pi)) / (2 * std::log(rotary.theta));
}

void scale_yarn(const Rotary& rotary, std::vector<float>& frequencies) {
    const double low = std::max(0.0, std::floor(yarn_index(rotary, rotary.high)));
    double high = std::min(rotary.width - 1.0, std::ceil(yarn_index(rotary, rotary.low)));
    if (low == high) high += 0.001;
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
        frequencies[i] = static_cast<float>(frequencies[i] * (ramp / rotary.factor + 1 - ramp));
    }
}

void scale_llama3(const Rotary& rotary, std::vector<float>& frequencies) {
    for (auto& frequency : frequencies) {
        const double turns = rotary.original * frequency / (2 * std::numbers::pi);
        const double kept = std::clamp((turns - rotary.low) / (rotary.high - rotary.low), 0.0, 1.0);
        frequency = static_cast<float>(frequency * (kept + (1 - kept) / rotary.factor));
    }
}

}  // namespace

std::vector<float> rotary_frequencies(const Rotary& rotary, int tokens) {
    const double theta = theta_for(rotary, tokens);
    std::vector<float> frequencies(static_cast<std::size_t>(rotary.width / 2));
    for (std::size_t i = 0; i < frequencies.size(); ++i)
        frequencies[i] = static_cast<float>(1 / std::pow(theta, 2.0 * static_cast<double>(i) / rotary.width));
    if (rotary.scaling == RotaryScaling::linear)
        for (auto& frequency : frequencies) frequency = static_cast<float>(frequency / rotary.factor);
    if (rotary.scaling == RotaryScaling::yarn) scale_yarn(rotary, frequencies);
    if (rotary.scaling == RotaryScaling::llama3) scale_llama3(rotary, frequencies);
    return frequencies;
}

int relative_bucket(const RelativeBuckets& relative, int distance, bool both_ways) {
    int buckets = relative.buckets, first = 0;
    if (both_ways) {
        buckets /= 2;
        first = distance > 0 ? buckets : 0;
        distance = std::abs(distance);
    } else {
        distance = std::max(0, -distance);
    }
    const int exact = buckets / 2;
    if (distance < exact) return first + distance;
    const float far = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(relative.distance_max) / exact)) *
                      static_cast<float>(buckets - exact);
    return first + std::min(buckets - 1, exact + static_cast<int>(far));
}

}  // namespace rootstock
