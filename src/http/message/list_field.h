#pragma once
// Header fields that are lists: "a, b, c" (RFC 9110, 5.6). Internal to http/.

#include <string>
#include <string_view>
#include <vector>

namespace rootstock::http {

std::string_view trimmed(std::string_view text);  // blanks and tabs at both ends taken off
bool is_token(std::string_view text);             // RFC 9110, 5.6.2
// Split at commas and trimmed; empty members are left out.
std::vector<std::string_view> members_of(std::string_view list);

}  // namespace rootstock::http
