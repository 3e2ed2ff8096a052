#pragma once
// Small tools for writing HTML by hand.

#include <cstdint>
#include <string>
#include <string_view>

namespace rootstock::html {

// Safe as element content and inside quoted attributes. Control characters and invalid UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

// A label, escaped, that may break after an underscore or a slash.
std::string label(std::string_view text);

// Both languages; the page shows one of them.
std::string both(std::string_view english, std::string_view chinese);

std::string number(double value, int decimals);
std::string percent(double share);  // "92.4 %"
std::string count(std::int64_t value);

}  // namespace rootstock::html
