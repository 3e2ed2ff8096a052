#include "base/ids.h"

#include <array>
#include <cstdint>

#include "base/random.h"

namespace rootstock {

std::string mint_id(std::string_view prefix, Timestamp now) {
    std::array<std::uint8_t, 16> bytes;
    fill_secret_bytes(bytes);
    auto milliseconds = static_cast<std::uint64_t>(now.micros / 1000);
    for (int i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x70);  // version 7
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // RFC 9562 variant
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(prefix);
    text += '_';
    for (auto byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace rootstock
