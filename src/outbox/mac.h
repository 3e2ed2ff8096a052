#pragma once
// Message authentication by SHA-256 (RFC 2104), as webhooks are signed in both directions.

#include <string>
#include <string_view>

namespace rootstock::outbox {

std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 bytes
std::string lower_hex(std::string_view bytes);
std::string base64(std::string_view bytes);  // RFC 4648, section 4, with padding

// Compares without telling by its time how far two texts agree.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace rootstock::outbox
