#pragma once
// Percent-encoding (RFC 3986, 2.1) taken off, once. Internal to http/.

#include <optional>
#include <string>
#include <string_view>

namespace rootstock::http {

enum class Plus { is_itself, is_blank };  // in paths; in queries (application/x-www-form-urlencoded)

// Nothing for a bad escape, a NUL, or bytes that are no UTF-8 (RFC 3629).
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

bool is_utf8(std::string_view text);

}  // namespace rootstock::http
