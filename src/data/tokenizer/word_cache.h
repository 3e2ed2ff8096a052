#pragma once
// Words a thread has split lately, with their tokens. A fixed table without chains: a word takes the place of the one
// that was there. 64 bytes an entry, one cache line.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace rootstock {

class WordCache {
public:
    static constexpr std::size_t word_bytes_max = 26, pieces_max = 7;

    struct alignas(64) Entry {
        std::int32_t ids[pieces_max];
        std::uint8_t lengths[pieces_max];
        std::uint8_t pieces;
        std::uint8_t word_bytes;  // 0: free; empty words never come
        char word[word_bytes_max];

        bool holds(std::string_view bytes) const {
            return word_bytes == bytes.size() && std::memcmp(word, bytes.data(), bytes.size()) == 0;
        }
        void start(std::string_view bytes) {
            word_bytes = static_cast<std::uint8_t>(bytes.size());
            std::memcpy(word, bytes.data(), bytes.size());
            pieces = 0;
        }
        void add(std::int32_t id, std::uint8_t length) {
            ids[pieces] = id;
            lengths[pieces++] = length;
        }
    };

    Entry& entry(std::string_view bytes);

private:
    static constexpr std::size_t entries = std::size_t{1} << 15;
    std::unique_ptr<Entry[]> table_ = std::make_unique<Entry[]>(entries);
};

// This thread's cache for the model with this serial number. A thread keeps four; the one used longest ago goes.
WordCache& word_cache(std::uint64_t serial);

inline WordCache::Entry& WordCache::entry(std::string_view bytes) {
    std::uint64_t hash = bytes.size() * 0x9E3779B97F4A7C15ULL;
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + at, 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 29;
    }
    std::uint64_t rest = 0;
    if (at < bytes.size()) std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
    hash = (hash ^ rest) * 0x9E3779B97F4A7C15ULL;
    return table_[static_cast<std::size_t>(hash >> 40) & (entries - 1)];
}

}  // namespace rootstock
