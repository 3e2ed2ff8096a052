#include "infer/constrain/shared_masks.h"

namespace rootstock::constrain {

namespace {

constexpr int states_max = 128;  // of an automaton that is worth comparing

void write(std::string& key, std::int32_t number) { key.append(reinterpret_cast<const char*>(&number), sizeof number); }

}  // namespace

std::shared_ptr<const StateMask> SharedMasks::find(const std::string& key) const {
    const std::lock_guard guard(lock_);
    const auto found = kept_.find(key);
    return found == kept_.end() ? nullptr : found->second;
}

void SharedMasks::keep(const std::string& key, std::shared_ptr<const StateMask> mask, std::size_t bytes) {
    const std::lock_guard guard(lock_);
    if (bytes_ + bytes > bytes_max) kept_.clear(), bytes_ = 0;
    if (kept_.try_emplace(key, std::move(mask)).second) bytes_ += bytes + key.size();
}

std::string SharedMasks::key_of(const Network& network, int state, bool first) {
    const auto rule = network.state(state).rule;
    const auto begin = network.rule(rule).begin;
    std::string key;
    write(key, (state - begin) * 4 + (first ? 2 : 0) + (network.rule(rule).loop ? 1 : 0));
    for (int at = begin; at < network.states() && network.state(at).rule == rule; ++at) {
        if (!network.calls(at).empty() || at - begin >= states_max) return {};
        write(key, network.state(at).accepts ? -2 : -1);
        for (const auto& edge : network.bytes(at)) {
            write(key, edge.low * 256 + edge.high);
            write(key, edge.to - begin);
        }
    }
    return key;
}

}  // namespace rootstock::constrain
