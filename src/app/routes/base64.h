#pragma once
// Base64 (RFC 4648, section 4), as pictures come inside JSON and vectors leave in it.

#include <optional>
#include <string>
#include <string_view>

namespace rootstock {

void append_base64(std::string& out, std::string_view bytes);  // with padding

// Nothing unless the text is groups of four, the last one padded; bits that padding leaves over must be 0.
std::optional<std::string> read_base64(std::string_view text);

}  // namespace rootstock
