// The split keeps texts together: an identical text on both sides would let the model be tested on what it learned.
// Within each label the groups of equal texts are shuffled and taken while they fit the label's share; what rounding
// leaves over is carried to the next label, so that many small labels still add up to the share.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "data/dataset/dataset.h"

namespace rootstock {
namespace {

using Group = std::vector<std::size_t>;  // examples with the same text

// Per label (that of the group's first example), groups in order of appearance.
std::vector<std::vector<Group>> groups_by_label(std::span<const TextExample> examples) {
    std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> place_of;  // label, group
    std::vector<std::vector<Group>> groups;
    for (std::size_t i = 0; i < examples.size(); ++i) {
        auto label = static_cast<std::size_t>(examples[i].label);
        if (label >= groups.size()) groups.resize(label + 1);
        auto [place, fresh] = place_of.try_emplace(examples[i].text, label, groups[label].size());
        if (fresh) groups[label].emplace_back();
        groups[place->second.first][place->second.second].push_back(i);
    }
    return groups;
}

std::size_t rows_of(const std::vector<Group>& groups) {
    return std::accumulate(groups.begin(), groups.end(), std::size_t{0},
                           [](std::size_t sum, const Group& group) { return sum + group.size(); });
}

}  // namespace

Split split_stratified(std::span<const TextExample> examples, double share, std::uint64_t seed) {
    ROOTSTOCK_CHECK(share >= 0 && share <= 1, "a share lies between 0 and 1");
    auto labels = groups_by_label(examples);
    std::vector<bool> held(examples.size(), false);
    SeededRandom random(seed);
    double carried = 0;
    for (auto& groups : labels) {
        random.shuffle(groups);
        double wanted = share * static_cast<double>(rows_of(groups)) + carried;
        double taken = 0;
        std::size_t groups_left = groups.size();
        for (const auto& group : groups) {
            auto size = static_cast<double>(group.size());
            if (groups_left == 1 || taken + size > std::floor(wanted + 0.5)) continue;  // one group stays to learn from
            for (auto i : group) held[i] = true;
            taken += size;
            --groups_left;
        }
        carried = std::clamp(wanted - taken, -1.0, 1.0);  // labels that cannot give must not empty the next one
    }
    Split split;
    for (std::size_t i = 0; i < examples.size(); ++i) (held[i] ? split.held_out : split.train).push_back(i);
    return split;
}

}  // namespace rootstock
