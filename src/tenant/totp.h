#pragma once
// One-time passwords by the clock, as authenticator programs make them: HMAC-SHA-1 over the half minutes since 1970,
// six digits (RFC 4226 and 6238).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock::tenant {

inline constexpr std::size_t totp_secret_bytes = 20;  // as long as SHA-1 is wide (RFC 4226, 4)

std::int64_t totp_step(Timestamp now);
std::string hotp(std::string_view secret, std::int64_t counter);

// Of which step is this the code? Of this one, the one before or the one after, since clocks differ; never of one up to
// `last`, so that no code opens twice (RFC 6238, 5.2).
std::optional<std::int64_t> totp_match(std::string_view secret, std::string_view code, Timestamp now,
                                       std::int64_t last);

std::string base32(std::string_view bytes);  // RFC 4648, 6, without padding

// What an authenticator reads from a picture: "otpauth://totp/Rootstock:ann%40example.com?secret=...".
std::string totp_uri(std::string_view secret, std::string_view account);

}  // namespace rootstock::tenant
