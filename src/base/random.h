#pragma once
// Randomness of two kinds: secrets from the operating system, and seeded streams that repeat themselves.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace rootstock {

// Fills with bytes from the operating system's generator (getrandom). For keys and identifiers.
void fill_secret_bytes(std::span<std::uint8_t> bytes);

// `count` characters of 0-9A-Za-z, uniform, from the operating system's generator.
std::string secret_base62(std::size_t count);

// xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64: the same seed gives the same sequence on every
// machine and compiler. For splits, shuffles and initial weights; never for secrets.
class SeededRandom {
public:
    explicit SeededRandom(std::uint64_t seed);
    std::uint64_t next();
    std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound); bound > 0
    double uniform();                          // uniform in [0, 1)
    double normal();                           // standard normal (Box-Muller)

    template <typename Range>
    void shuffle(Range& range) {  // Fisher-Yates
        for (std::size_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[below(i)]);
    }

private:
    std::uint64_t state_[4];
    double spare_ = 0;
    bool has_spare_ = false;
};

}  // namespace rootstock
