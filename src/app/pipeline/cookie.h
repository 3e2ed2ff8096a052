#pragma once
// The Cookie header (RFC 6265, 4.2).

#include <string_view>

namespace rootstock {

// The value of the first cookie of that name among "a=1; b=2"; empty: there is none.
std::string_view cookie_in(std::string_view header, std::string_view name);

}  // namespace rootstock
