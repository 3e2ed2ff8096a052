#include "tenant/secret.h"

#include <algorithm>
#include <boost/crc.hpp>

#include "base/base.h"
#include "tenant/tenant.h"

namespace rootstock::tenant {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

}  // namespace

std::string checksum(std::string_view secret) {
    boost::crc_32_type crc;
    crc.process_bytes(secret.data(), secret.size());
    std::string text(checksum_digits, digits[0]);
    std::uint32_t rest = crc.checksum();
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, rest /= 62) *digit = digits[rest % 62];
    return text;
}

std::string mint_secret() {
    const std::string secret = secret_base62(secret_digits);
    return std::string(key_prefix) + secret + checksum(secret);
}

std::string visible_part(std::string_view key) {
    return std::string(key.substr(0, key_prefix.size() + visible_digits));
}

bool well_formed(std::string_view presented) {
    if (presented.size() != key_prefix.size() + secret_digits + checksum_digits) return false;
    if (!presented.starts_with(key_prefix)) return false;
    const auto secret = presented.substr(key_prefix.size(), secret_digits);
    if (secret.find_first_not_of(digits) != std::string_view::npos) return false;
    return presented.substr(key_prefix.size() + secret_digits) == checksum(secret);
}

}  // namespace rootstock::tenant
