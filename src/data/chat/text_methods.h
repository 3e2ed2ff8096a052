#pragma once
// The methods of Python's str, and its two ways of filling in a pattern.

#include "data/chat/arguments.h"
#include "data/chat/work.h"

namespace rootstock::chat {

Result<Value> call_text_method(Work& work, std::string_view text, std::string_view name, const GivenArguments& given);

// text.replace(from, to): the first `count` places, all when it is negative.
Result<std::string> replaced(Work& work, std::string_view text, std::string_view from, std::string_view to,
                             std::int64_t count);

// "%s and %d" % values. Known: s, d, i, f, x, r-less; with width, zeros and precision.
Result<Value> percent_format(Work& work, std::string_view pattern, const Value& values);
// "{} {0} {name}".format(...), with the usual widths and precisions for numbers and texts.
Result<Value> brace_format(Work& work, std::string_view pattern, const GivenArguments& given);

}  // namespace rootstock::chat
