#pragma once
// Strings by their bytes, to find every one that a text begins with. Edges live in one hash table keyed by node and
// byte, so a step costs one probe whatever the vocabulary.

#include <cstdint>
#include <string_view>
#include <vector>

namespace rootstock {

class ByteTrie {
public:
    ByteTrie() { slots_.resize(16); }

    // A repeated string takes the later value; `value` must not be negative. The empty string is not kept.
    void add(std::string_view key, std::int32_t value);

    // Calls take(value, length) for every key that `text` begins with, shortest first.
    template <typename Take>
    void each_prefix(std::string_view text, Take take) const {
        std::uint32_t node = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto& slot = slots_[slot_of(node, text[i])];
            if (slot.child == 0) return;
            node = slot.child;
            if (values_[node] >= 0) take(values_[node], i + 1);
        }
    }

private:
    struct Slot {
        std::uint32_t node = 0;
        std::uint32_t child = 0;  // 0: free
        char byte = 0;
    };
    std::size_t slot_of(std::uint32_t node, char byte) const {
        auto mask = slots_.size() - 1;
        auto hash = (std::uint64_t{node} << 8 | static_cast<unsigned char>(byte)) * 0x9E3779B97F4A7C15ULL;
        for (auto at = static_cast<std::size_t>(hash >> 32) & mask;; at = (at + 1) & mask)
            if (slots_[at].child == 0 || (slots_[at].node == node && slots_[at].byte == byte)) return at;
    }
    void grow();

    std::vector<Slot> slots_;
    std::vector<std::int32_t> values_{-1};  // by node; node 0 is the root
};

}  // namespace rootstock
