#pragma once
// Unigram language model (Kudo, 2018): of all ways to cut a word into pieces of the vocabulary, the one with the
// highest sum of log probabilities (Viterbi, 1967). A character that begins no piece of its own length may be passed
// as unknown, at a price of 10 below the rarest piece; neighbouring unknown characters become one token.

#include "data/tokenizer/byte_trie.h"
#include "data/tokenizer/pieces.h"

namespace rootstock {

struct UnigramPiece {
    std::string token;
    double score = 0;  // log probability
};

// The precision that sums of scores are kept in. It decides between cuts of equal worth: SentencePiece keeps them in
// single precision, the tokenizers library in double.
enum class ScoreSums { in_double, in_single };

class Unigram final : public TokenModel {
public:
    // `searched`: which pieces are looked for in words and count for the rarest; empty: all.
    // corrupt: unknown_id is beyond the vocabulary, or a score is no number.
    static Result<std::unique_ptr<Unigram>> make(std::vector<UnigramPiece> pieces,
                                                 std::optional<std::int32_t> unknown_id, bool byte_fallback,
                                                 const std::vector<bool>& searched = {},
                                                 ScoreSums sums = ScoreSums::in_double);

    void tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const override;
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::optional<std::int32_t> unknown_id() const override { return unknown_; }
    bool shows_unknown() const override { return true; }

private:
    struct Node;
    void search(std::string_view word, std::vector<Node>& best) const;
    void start_anew(std::vector<Node>& best, std::size_t at, std::size_t furthest) const;
    void add_unknown(std::string_view text, ByteSpan bytes, std::vector<Piece>& pieces) const;
    std::int32_t required_unknown() const;
    double rounded(double sum) const;

    Vocabulary vocabulary_;
    ByteTrie trie_;
    std::vector<double> scores_;
    double unknown_score_ = 0;
    ScoreSums sums_ = ScoreSums::in_double;
    std::optional<std::int32_t> unknown_;
    bool byte_fallback_ = false;
    std::int32_t byte_ids_[256];
};

}  // namespace rootstock
