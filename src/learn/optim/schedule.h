#pragma once
// Linear warm-up over the first share of the steps, then linear decay to zero.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace rootstock {

// The share of the peak rate at step `step` of `steps` (step counts from 0).
inline double linear_schedule(std::int64_t step, std::int64_t steps, double warmup) {
    auto rising = static_cast<std::int64_t>(std::llround(warmup * static_cast<double>(steps)));
    if (step < rising) return static_cast<double>(step + 1) / static_cast<double>(rising);
    return std::max(0.0,
                    static_cast<double>(steps - step) / static_cast<double>(std::max<std::int64_t>(1, steps - rising)));
}

}  // namespace rootstock
