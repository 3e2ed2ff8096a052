#include "infer/generate/chances.h"

#include <algorithm>
#include <cmath>

namespace rootstock {

void tell_chances(std::span<const float> scores, int count, WrittenToken& token) {
    const double best = *std::ranges::max_element(scores);
    double sum = 0;
    for (const float score : scores) sum += std::exp(score - best);
    const double norm = best + std::log(sum);
    const auto chance = [&](std::int32_t id) {
        return static_cast<float>(scores[static_cast<std::size_t>(id)] - norm);
    };
    token.logprob = chance(token.id);
    // A heap of the best so far, the least of them in front.
    const auto better = [](const TokenChance& a, const TokenChance& b) {
        return a.logprob > b.logprob || (a.logprob == b.logprob && a.id < b.id);
    };
    const auto most = std::min(static_cast<std::size_t>(count), scores.size());
    for (std::int32_t id = 0; most > 0 && id < static_cast<std::int32_t>(scores.size()); ++id) {
        const TokenChance one{id, chance(id)};
        if (token.top.size() == most && !better(one, token.top.front())) continue;
        if (token.top.size() == most) std::ranges::pop_heap(token.top, better), token.top.pop_back();
        token.top.push_back(one);
        std::ranges::push_heap(token.top, better);
    }
    std::ranges::sort(token.top, better);
}

}  // namespace rootstock
