#pragma once
// The text form of an API key (see tenant.h).

#include <string>
#include <string_view>

namespace rootstock::tenant {

inline constexpr std::string_view key_prefix = "rsk_live_";
inline constexpr std::size_t secret_digits = 43;   // 62^43 > 2^256
inline constexpr std::size_t checksum_digits = 6;  // 62^6 > 2^32
inline constexpr std::size_t visible_digits = 8;

// CRC-32 (IEEE 802.3, as zlib and gzip use it) in six digits of 0-9A-Za-z, most significant first.
std::string checksum(std::string_view secret);

std::string mint_secret();

// "rsk_live_" and the first visible digits of a whole key.
std::string visible_part(std::string_view key);

}  // namespace rootstock::tenant
