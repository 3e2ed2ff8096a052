#pragma once
// WordPiece (Schuster and Nakajima, 2012): a word is split greedily into the longest piece of the vocabulary, then the
// longest piece of what follows among those that carry the continuing prefix ("##ing"), and so on. A word with a
// place where no piece fits, or with too many characters, becomes one unknown token.
//
// Two hash tables hold the pieces, one for the beginning of a word and one for the rest (stored without its
// prefix). The hash grows byte by byte, so all prefixes of a word are hashed in one walk.

#include "data/tokenizer/piece_table.h"
#include "data/tokenizer/pieces.h"

namespace rootstock {

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
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::optional<std::int32_t> unknown_id() const override { return unknown_; }

private:
    WordPiece() = default;
    bool too_long(std::string_view word) const;

    WordPieceOptions options_;
    PieceTable continuing_;  // tokens with the prefix, without it
    Vocabulary vocabulary_;  // every token, as spelled
    std::int32_t unknown_ = 0;
};

}  // namespace rootstock
