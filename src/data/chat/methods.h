#pragma once
// The methods that texts and dicts have in templates. What would change a list or dict is not there: the reference
// renders in a sandbox that refuses it too.

#include <optional>

#include "data/chat/arguments.h"
#include "data/chat/work.h"

namespace rootstock::chat {

// The method called `name`, bound to `object`; nothing when the type has none of that name.
std::optional<Value> method_of(const Value& object, std::string_view name);

// unsupported: a method that Python has and templates here have not.
Result<Value> call_method(Work& work, const Value& object, std::string_view name, const GivenArguments& given);

}  // namespace rootstock::chat
