#pragma once
// How a lane shares work between its threads, and its products with the adapters' updates: templates that lane.cpp and
// lane_ends.cpp share.

#include <omp.h>

#include <algorithm>

#include "native/lane.h"

namespace rootstock {

inline constexpr int kLowRankRows = 32;  // of one adapter, given to one thread at a time

// The update of one map of a layer, for whichever adapter.
inline auto update_of(const StackWeights& stack, const NativeModel::Parts& model, std::size_t layer,
                      LowRank LayerUpdates::*map) {
    const bool decoder = &stack == &model.decoder;
    return [decoder, layer, map](const NativeAdapter::Parts& adapter) -> const LowRank& {
        return (decoder ? adapter.decoder_layers : adapter.layers)[layer].*map;
    };
}

template <typename Work>
void Lane::parallel(int items, const Work& work) {
    if (threads_ == 1 || items == 1) {
        for (int item = 0; item < items; ++item) work(item, 0);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(threads_)
    for (int item = 0; item < items; ++item) work(item, omp_get_thread_num());
}

// Calls work(token, thread) for every token.
template <typename Work>
void Lane::parallel_tokens(const Work& work) {
    constexpr int kTokensAtOnce = 16;
    parallel((tokens_ + kTokensAtOnce - 1) / kTokensAtOnce, [&](int block, int thread) {
        const int begin = block * kTokensAtOnce, end = std::min(begin + kTokensAtOnce, tokens_);
        for (int t = begin; t < end; ++t) work(t, thread);
    });
}

// Puts the adapters' updates into y, zeros for rows without; false when no row has one, and y is untouched.
template <typename Update>
bool Lane::low_rank(const Linear& map, const void* x, void* y, const Update& update) {
    const auto wanted = [&](const Segment& s) { return s.adapter && !update(*s.adapter).empty(); };
    if (std::ranges::none_of(segments_, wanted)) return false;
    const auto& form = map.form();
    const auto x_bytes = static_cast<std::size_t>(form.in) * size_of(form.x),
               y_bytes = static_cast<std::size_t>(form.out) * size_of(form.y);
    const auto run = [&](const Segment& s, int begin, int end, int thread) {
        const auto* from = static_cast<const char*>(x) + static_cast<std::size_t>(begin) * x_bytes;
        auto* to = static_cast<char*>(y) + static_cast<std::size_t>(begin) * y_bytes;
        if (wanted(s))
            update(*s.adapter).run(from, to, form.y, end - begin, scratch_[static_cast<std::size_t>(thread)]);
        else
            clear_rows(to, form.y, end - begin, form.out);
    };
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const auto& s = segments_[i];
        if (i + 1 < segments_.size() && wanted(segments_[i + 1])) update(*segments_[i + 1].adapter).prefetch();
        const int share = std::clamp((s.end - s.begin + threads_ - 1) / threads_, 1, kLowRankRows);
        parallel((s.end - s.begin + share - 1) / share, [&](int block, int thread) {
            const int begin = s.begin + block * share;
            run(s, begin, std::min(begin + share, s.end), thread);
        });
    }
    return true;
}

template <typename Update>
void Lane::linear(const Linear& map, const void* x, void* y, const Update& update) {
    const bool add = low_rank(map, x, y, update);
    runner_.run(map, x, y, tokens_, add);
}

}  // namespace rootstock
