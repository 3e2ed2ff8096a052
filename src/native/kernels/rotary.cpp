#include "native/kernels/rotary.h"

#include <algorithm>
#include <cmath>

namespace rootstock {

void RotaryTable::cover(int tokens) {
    const bool stretched = rotary_.scaling == RotaryScaling::dynamic && tokens > rotary_.original;
    const int wanted = stretched ? tokens : 0;
    if (wanted != made_for_) {
        frequencies_ = rotary_frequencies(rotary_, tokens);
        made_for_ = wanted;
        tokens_ = 0;
    }
    if (tokens <= tokens_) return;
    const int longest = std::max(tokens, stretched ? tokens : 2 * tokens_);
    cosines_.resize(place(longest)), sines_.resize(place(longest));
    const auto size = static_cast<float>(rotary_.size);
    for (int position = tokens_; position < longest; ++position)
        for (int i = 0; i < pairs(); ++i) {
            const auto at = place(position) + static_cast<std::size_t>(i);
            const float angle = static_cast<float>(position) * frequencies_[static_cast<std::size_t>(i)];
            cosines_[at] = size * std::cos(angle), sines_[at] = size * std::sin(angle);
        }
    tokens_ = longest;
}

}  // namespace rootstock
