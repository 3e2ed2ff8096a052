#pragma once
// What `loop` knows inside a for loop: the items it goes over and where it stands.

#include <vector>

#include "data/chat/value.h"

namespace rootstock::chat {

struct LoopState {
    std::vector<Value> items;
    std::size_t index = 0;  // from 0
    int depth = 0;          // the nesting of the items
    int level = 1;          // loops inside loops; recursive loops are not known here, so 1 always
};

}  // namespace rootstock::chat
