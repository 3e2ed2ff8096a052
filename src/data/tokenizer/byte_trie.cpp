#include "data/tokenizer/byte_trie.h"

#include <utility>

namespace rootstock {

void ByteTrie::grow() {
    auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const auto& slot : old)
        if (slot.child != 0) slots_[slot_of(slot.node, slot.byte)] = slot;
}

void ByteTrie::add(std::string_view key, std::int32_t value) {
    if (key.empty()) return;
    std::uint32_t node = 0;
    for (char byte : key) {
        auto at = slot_of(node, byte);
        if (slots_[at].child == 0) {
            slots_[at] = {node, static_cast<std::uint32_t>(values_.size()), byte};
            values_.push_back(-1);
            node = slots_[at].child;
            if (values_.size() * 2 > slots_.size()) grow();
            continue;
        }
        node = slots_[at].child;
    }
    values_[node] = value;
}

}  // namespace rootstock
