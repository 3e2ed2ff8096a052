#pragma once
// What stands between the quotes of a string in a template, as Python reads it.

#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock::chat {

// Resolves \n, \t, \xhh, \uhhhh, \Uhhhhhhhh, octal and the other escapes of Python; a backslash before any other
// character stays. invalid_argument: an escape that is cut short or names no character.
Result<std::string> unescape(std::string_view text);

}  // namespace rootstock::chat
