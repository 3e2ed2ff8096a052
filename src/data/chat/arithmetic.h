#pragma once
// + - * / // % ** as Python gives them to numbers, texts and lists.

#include "data/chat/value.h"
#include "data/chat/work.h"

namespace rootstock::chat {

// invalid_argument: types that do not go together, a division by 0. unsupported: a whole number above 64 bits.
Result<Value> calculate(Work& work, std::string_view sign, const Value& left, const Value& right);
Result<Value> negated(const Value& value);

}  // namespace rootstock::chat
