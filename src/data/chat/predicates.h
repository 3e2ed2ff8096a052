#pragma once
// What may stand after "is" in a template, also used by select, reject, selectattr and rejectattr.

#include "data/chat/arguments.h"
#include "data/chat/work.h"

namespace rootstock::chat {

// invalid_argument: there is no test of that name.
Result<bool> apply_test(Work& work, std::string_view name, const Value& value, const GivenArguments& given);

}  // namespace rootstock::chat
