#pragma once
// How values look as text: Python's str() and repr(), and JSON as the reference's tojson filter writes it.

#include <optional>
#include <string>

#include "data/chat/value.h"
#include "data/chat/work.h"

namespace rootstock::chat {

// str(value): a text as it is, undefined as nothing, others as Python prints them (None, True, 1.0, ['a']).
// unsupported: functions, namespaces and loops, which have no printed form worth a prompt.
Result<std::string> text_of(Work& work, const Value& value);

std::string python_float(double number);  // the shortest digits that read back, as repr writes them

struct JsonStyle {
    std::optional<std::string> indent;  // a line per item, indented by this per level; nothing: one line
    std::string item_separator = ", ", key_separator = ": ";
    bool ascii = false;      // \u escapes for all that is not ASCII
    bool sort_keys = false;  // by their text
};

// invalid_argument: a value JSON has no form for (undefined, functions).
Result<std::string> json_of(Work& work, const Value& value, const JsonStyle& style);

}  // namespace rootstock::chat
