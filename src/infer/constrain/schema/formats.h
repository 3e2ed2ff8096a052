#pragma once
// "format" of JSON Schema, as regular expressions for the whole text: RFC 3339 dates and times, durations, e-mail and
// host names, IP addresses, UUIDs, URIs of the web.

#include <optional>
#include <string>
#include <string_view>

namespace rootstock::constrain {

// Nothing when the format is not known.
std::optional<std::string> format_pattern(std::string_view name);
std::string known_formats();  // for a message

}  // namespace rootstock::constrain
