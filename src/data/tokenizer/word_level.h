#pragma once
// Whole words only: a word is a token or unknown.

#include "data/tokenizer/pieces.h"

namespace rootstock {

class WordLevel final : public TokenModel {
public:
    static Result<std::unique_ptr<WordLevel>> make(std::vector<VocabularyEntry> vocabulary, std::string unknown_token);

    void tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const override;
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::optional<std::int32_t> unknown_id() const override { return unknown_; }

private:
    Vocabulary vocabulary_;
    std::string unknown_token_;
    std::optional<std::int32_t> unknown_;
};

}  // namespace rootstock
