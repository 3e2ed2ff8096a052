#include "tenant/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cctype>

namespace rootstock::tenant {
namespace {

constexpr std::int64_t step_micros = 30'000'000;
constexpr std::size_t digits = 6;
constexpr std::uint32_t codes = 1'000'000;

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte < 128 && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~');
        encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return encoded;
}

}  // namespace

std::int64_t totp_step(Timestamp now) { return now.micros / step_micros; }

std::string hotp(std::string_view secret, std::int64_t counter) {
    std::array<unsigned char, 8> message{};
    for (std::size_t i = 0; i < message.size(); ++i)
        message[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(counter) >> (8 * (message.size() - 1 - i)));
    std::array<unsigned char, 20> mac{};
    unsigned int length = 0;
    const auto* done = HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), message.data(), message.size(),
                            mac.data(), &length);
    ROOTSTOCK_CHECK(done != nullptr && length == mac.size(), "HMAC-SHA-1 gives 20 bytes");
    const std::size_t at = mac[19] & 0x0F;
    const std::uint32_t word = (mac[at] & 0x7Fu) << 24 | std::uint32_t{mac[at + 1]} << 16 |
                               std::uint32_t{mac[at + 2]} << 8 | std::uint32_t{mac[at + 3]};
    return fmt::format("{:06}", word % codes);
}

std::optional<std::int64_t> totp_match(std::string_view secret, std::string_view code, Timestamp now,
                                       std::int64_t last) {
    if (code.size() != digits) return std::nullopt;
    std::optional<std::int64_t> found;
    const auto step = totp_step(now);
    for (auto candidate = step - 1; candidate <= step + 1; ++candidate) {
        const bool same = CRYPTO_memcmp(hotp(secret, candidate).data(), code.data(), digits) == 0;
        if (same && candidate > last) found = candidate;
    }
    return found;
}

std::string base32(std::string_view bytes) {
    static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    std::uint32_t waiting = 0;
    int bits = 0;
    for (const char c : bytes) {
        waiting = waiting << 8 | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 5; bits -= 5) text += letters[waiting >> (bits - 5) & 31];
    }
    if (bits > 0) text += letters[waiting << (5 - bits) & 31];
    return text;
}

std::string totp_uri(std::string_view secret, std::string_view account) {
    return "otpauth://totp/Rootstock:" + percent_encoded(account) + "?secret=" + base32(secret) +
           "&issuer=Rootstock&algorithm=SHA1&digits=6&period=30";
}

}  // namespace rootstock::tenant
