#include "native/pace.h"

#include <algorithm>

namespace rootstock {

namespace {

// Fewer than 16 rows take as long as 16: the weights must be read all the same.
double per_row(int rows, double seconds) { return seconds / std::max(rows, 16); }

}  // namespace

void Pace::alone_took(int rows, double seconds) {
    const double time = per_row(rows, seconds);
    if (alone_ == 0 || time < alone_) alone_ = time;
}

void Pace::split_took(int rows, double seconds, double now) {
    constexpr double kTolerance = 1.25;  // threads that slept need a moment to wake
    if (per_row(rows, seconds) < kTolerance * alone_) {
        pause_ = std::max(kFirstPause, pause_ / 2);
        return;
    }
    resume_ = now + pause_;
    pause_ = std::min(kLongestPause, 2 * pause_);
}

}  // namespace rootstock
