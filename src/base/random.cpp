#include "base/random.h"

#include <sys/random.h>

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace rootstock {

void fill_secret_bytes(std::span<std::uint8_t> bytes) {
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        auto got = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
        ROOTSTOCK_CHECK(got > 0, "the operating system gave no random bytes");
        filled += static_cast<std::size_t>(got);
    }
}

std::string secret_base62(std::size_t count) {
    static constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string text;
    while (text.size() < count) {
        std::uint8_t bytes[64];
        fill_secret_bytes(bytes);
        for (auto byte : bytes) {
            // 248 is the largest multiple of 62 below 256: taking more would favour the first digits.
            if (byte < 248 && text.size() < count) text += digits[byte % 62];
        }
    }
    return text;
}

namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

std::uint64_t rotate_left(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

}  // namespace

SeededRandom::SeededRandom(std::uint64_t seed) {
    for (auto& word : state_) word = splitmix64(seed);
}

std::uint64_t SeededRandom::next() {
    std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
}

std::uint64_t SeededRandom::below(std::uint64_t bound) {
    ROOTSTOCK_CHECK(bound > 0, "a random number below nothing");
    std::uint64_t limit = -bound % bound;  // 2^64 mod bound: values under it would bias the remainder
    std::uint64_t value = next();
    while (value < limit) value = next();
    return value % bound;
}

double SeededRandom::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double SeededRandom::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

}  // namespace rootstock
