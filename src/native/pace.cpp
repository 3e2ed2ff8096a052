#include "native/pace.h"

#include <algorithm>

namespace rootstock {

void Pace::split_took(int rows, double seconds, double now) {
    constexpr int kLeastRows = 16;  // fewer take as long: the weights must be read all the same
    const double per_row = seconds / std::max(rows, kLeastRows);
    if (best_ == 0 || per_row < best_) best_ = per_row;
    if (per_row < kSlow * best_) {
        pause_ = std::max(kFirstPause, pause_ / 2);
        return;
    }
    resume_ = now + pause_;
    pause_ = std::min(kLongestPause, 2 * pause_);
}

}  // namespace rootstock
