#pragma once
// Passwords, kept as Argon2id (RFC 9106, by libsodium): 19 MiB, two passes, one lane (OWASP ASVS, appendix C). Hashing
// takes tens of milliseconds: never on the thread that serves, never inside a transaction.

#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock::tenant {

inline constexpr std::size_t password_min = 12, password_max = 256;  // bytes

Result<void> check_password(std::string_view password);  // invalid_argument, param "password"

std::string hash_password(std::string_view password);  // "$argon2id$v=19$m=19456,t=2,p=1$..."

// Nothing is kept of whom we do not know: then as much work is done, and the answer is no.
bool right_password(const std::optional<std::string>& kept, std::string_view password);

}  // namespace rootstock::tenant
