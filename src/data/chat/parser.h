#pragma once
// From a template's text to its tree. Statements that chat templates have no use for (include, import, extends,
// block, recursive loops, autoescape, do) are errors that name themselves.

#include <string_view>

#include "data/chat/syntax.h"

namespace rootstock::chat {

// invalid_argument, with the line: a mistake in the text. The text must be valid UTF-8.
Result<Body> parse_template(std::string_view text);

}  // namespace rootstock::chat
