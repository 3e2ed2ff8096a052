#pragma once
// The place where a list goes on, as it is told: opaque to callers.

#include <optional>
#include <string>
#include <string_view>

namespace rootstock {

std::string cursor_of(std::string_view last);                   // base64url
std::optional<std::string> read_cursor(std::string_view text);  // nothing for what cursor_of never gave

}  // namespace rootstock
