#pragma once
// WordPiece (Schuster and Nakajima, 2012): a word is split greedily into the longest piece of the vocabulary, then the
// longest piece of what follows among those that carry the continuing prefix ("##ing"), and so on. A word with a
// place where no piece fits, or with too many characters, becomes one unknown token.
//
// Two hash tables hold the pieces, one for the beginning of a word and one for the rest (stored without its
// prefix). The hash grows byte by byte, so all prefixes of a word are hashed in one walk.

#include <limits>

#include "data/tokenizer/pieces.h"

namespace rootstock {

struct VocabularyEntry {
    std::string token;
    std::int32_t id = 0;
};

// Pieces by their bytes, open addressing. Private to WordPiece; in the header for its size.
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
};

struct WordPieceOptions {
    std::string unknown_token = "[UNK]";
    std::string continuing_prefix = "##";
    std::size_t max_chars_per_word = 100;
};

class WordPiece final : public TokenModel {
public:
    // corrupt: the unknown token is missing, or an id is negative or absurdly large.
    static Result<std::unique_ptr<WordPiece>> make(std::vector<VocabularyEntry> vocabulary, WordPieceOptions options);

    void tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const override;
    std::optional<std::int32_t> id(std::string_view token) const override;
    std::string_view token(std::int32_t id) const override;
    std::size_t size() const override { return size_; }
    std::optional<std::int32_t> unknown_id() const override { return unknown_; }

private:
    WordPiece() = default;
    bool too_long(std::string_view word) const;

    WordPieceOptions options_;
    PieceTable initial_;               // every token, as spelled
    PieceTable continuing_;            // tokens with the prefix, without it
    std::vector<std::string> tokens_;  // by id
    std::size_t size_ = 0;
    std::int32_t unknown_ = 0;
};

}  // namespace rootstock
