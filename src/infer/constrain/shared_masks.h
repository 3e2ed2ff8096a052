#pragma once
// Masks that all constraints over one vocabulary share. Where a rule calls no other, as a JSON string or number does,
// what its states allow depends on its automaton alone; so the next schema finds the masks of its strings made.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "infer/constrain/network.h"

namespace rootstock::constrain {

struct StateMask;

class SharedMasks {
public:
    std::shared_ptr<const StateMask> find(const std::string& key) const;  // null: not yet
    void keep(const std::string& key, std::shared_ptr<const StateMask> mask, std::size_t bytes);

    // The automaton around a state, and which of its states it is; empty where the rule calls others.
    static std::string key_of(const Network& network, int state, bool first);

private:
    static constexpr std::size_t bytes_max = 32 << 20;  // more begin anew
    mutable std::mutex lock_;
    std::unordered_map<std::string, std::shared_ptr<const StateMask>> kept_;
    std::size_t bytes_ = 0;
};

}  // namespace rootstock::constrain
