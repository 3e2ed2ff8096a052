#pragma once
// Comparison as Python does it. Containers may share their parts, so a small one can stand for endless work: each
// pair looked at costs a step.

#include "data/chat/value.h"
#include "data/chat/work.h"

namespace rootstock::chat {

Result<bool> equal(Work& work, const Value& left, const Value& right);
// invalid_argument: the types have no order.
Result<bool> less(Work& work, const Value& left, const Value& right);
// `needle in hay`: an item of a list, a key of a dict, a part of a text.
Result<bool> contains(Work& work, const Value& hay, const Value& needle);

// Sorted by `less`, equal values in their old order.
struct Keyed {
    Value key, value;
};
Result<void> sort_by_key(Work& work, std::vector<Keyed>& items, bool reverse);

}  // namespace rootstock::chat
