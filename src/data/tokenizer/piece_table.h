#pragma once
// The tokens of a vocabulary by their bytes: a hash table with open addressing, filled once and then only read. The
// hash grows byte by byte, so all prefixes of a word are hashed in one walk.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct VocabularyEntry {
    std::string token;
    std::int32_t id = 0;
};

class PieceTable {
public:
    void reserve(std::size_t pieces, std::size_t bytes);
    void add(std::string_view piece, std::int32_t id);  // a repeated piece takes the later id

    static constexpr std::int32_t none = -1;
    static constexpr std::uint64_t hash_start = 0xCBF29CE484222325ULL;  // FNV-1a
    static std::uint64_t hash_step(std::uint64_t hash, char byte) {
        return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
    }

    // The id of `piece` with this hash, or none.
    std::int32_t find(std::string_view piece, std::uint64_t hash) const;
    std::int32_t find(std::string_view piece) const;

    std::size_t size() const { return count_; }

    struct Match {
        std::int32_t id = none;
        std::size_t length = 0;
    };
    Match longest_prefix(std::string_view text) const;

private:
    struct Slot {
        std::uint32_t offset = 0;
        std::uint32_t length = 0;
        std::int32_t id = none;
        std::uint32_t tag = 0;  // upper half of the hash: most misses end here
    };
    std::size_t slot_of(std::string_view piece, std::uint64_t hash) const;

    std::string bytes_;
    std::vector<Slot> slots_;
    std::size_t longest_ = 0;
    std::size_t count_ = 0;
};

// Tokens by id and ids by token, as every model has them.
class Vocabulary {
public:
    // corrupt: an id is negative or absurdly large.
    static Result<Vocabulary> make(std::vector<VocabularyEntry> entries);

    std::optional<std::int32_t> id(std::string_view token) const;
    std::string_view token(std::int32_t id) const;  // empty when there is none
    std::size_t size() const { return size_; }      // distinct tokens
    std::size_t id_end() const { return tokens_.size(); }
    const PieceTable& table() const { return table_; }

private:
    PieceTable table_;
    std::vector<std::string> tokens_;  // by id
    std::size_t size_ = 0;
};

}  // namespace rootstock
