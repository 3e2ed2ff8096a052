#include "tenant/password.h"

#include <sodium.h>

namespace rootstock::tenant {
namespace {

constexpr unsigned long long passes = 2;
constexpr std::size_t memory_bytes = std::size_t{19} << 20;

void start() {
    static const int started = sodium_init();
    ROOTSTOCK_CHECK(started >= 0, "libsodium does not start");
}

}  // namespace

Result<void> check_password(std::string_view password) {
    if (password.size() >= password_min && password.size() <= password_max) return {};
    return fail(ErrorCode::invalid_argument, "a password has 12 to 256 bytes", "password");
}

std::string hash_password(std::string_view password) {
    start();
    char hash[crypto_pwhash_STRBYTES] = {};
    const int failed = crypto_pwhash_str_alg(hash, password.data(), password.size(), passes, memory_bytes,
                                             crypto_pwhash_ALG_ARGON2ID13);
    ROOTSTOCK_CHECK(failed == 0, "there is no memory to hash a password in");
    return hash;
}

bool right_password(const std::optional<std::string>& kept, std::string_view password) {
    static const std::string nobodys = hash_password(secret_base62(32));
    const auto& hash = kept ? *kept : nobodys;
    const bool right = crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
    return right && kept.has_value();
}

}  // namespace rootstock::tenant
