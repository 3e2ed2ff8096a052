#pragma once
// Byte-pair encoding (Gage, 1994; Sennrich et al., 2016): a word starts as characters, and the neighbours with the
// lowest rank are merged until no pair is left that the vocabulary merges.
//
// Short words are merged in arrays on the stack, long ones with a heap, so a word of a million characters takes
// n log n. Each thread remembers the words it has split lately: real text repeats itself.

#include <array>

#include "data/tokenizer/pieces.h"

namespace rootstock {

struct BpeOptions {
    std::string unknown_token;      // empty: characters without a token are dropped
    std::string continuing_prefix;  // before every character but the first of a word
    std::string end_suffix;         // behind the last character of a word
    bool fuse_unknown = false;      // neighbouring unknown characters make one token
    bool byte_fallback = false;     // unknown characters become "<0xE4>" tokens where the vocabulary has them
    bool ignore_merges = false;     // a word that is a token stays one
};

using Merge = std::pair<std::string, std::string>;

struct RankedMerge {
    std::int32_t left = 0, right = 0;
    std::uint32_t rank = 0;  // lower first; equal ranks from left to right
    std::int32_t whole = 0;
};

class Bpe final : public TokenModel {
public:
    // corrupt: a merge of tokens that the vocabulary lacks, or an impossible id.
    static Result<std::unique_ptr<Bpe>> make(std::vector<VocabularyEntry> vocabulary, const std::vector<Merge>& merges,
                                             BpeOptions options);

    // The same by ids.
    static Result<std::unique_ptr<Bpe>> make_ranked(std::vector<VocabularyEntry> vocabulary,
                                                    const std::vector<RankedMerge>& merges, BpeOptions options);

    void tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const override;
    const Vocabulary& vocabulary() const override { return vocabulary_; }
    std::optional<std::int32_t> unknown_id() const override;

private:
    struct Symbol {
        std::int32_t id = 0;
        std::uint32_t length = 0;  // bytes
    };
    // What a pair becomes: rank decides the order.
    struct Slot {
        std::int32_t left = -1, right = -1;
        std::uint32_t rank = 0;
        std::int32_t id = -1;
    };
    static constexpr std::uint32_t no_rank = UINT32_MAX;

    Bpe() = default;
    const Slot* merge_of(std::int32_t left, std::int32_t right) const;
    std::size_t slot_at(std::int32_t left, std::int32_t right) const;
    void start_symbols(std::string_view word, std::vector<Symbol>& symbols) const;
    bool add_bytes(std::string_view text, std::vector<Symbol>& symbols) const;
    std::int32_t character_id(std::string_view character, bool first, bool last) const;
    std::int32_t required_unknown() const;
    void merge_short(std::vector<Symbol>& symbols) const;
    void merge_long(std::vector<Symbol>& symbols) const;
    void merge_all(std::string_view word, std::vector<Symbol>& symbols) const;

    BpeOptions options_;
    Vocabulary vocabulary_;
    std::vector<Slot> slots_;
    std::array<std::int32_t, 0x800> small_characters_{};  // ids of characters of one and two bytes
    std::array<std::int32_t, 256> byte_ids_{};            // of "<0x..>", or -1
    std::optional<std::int32_t> unknown_;
    std::uint64_t serial_ = 0;  // tells models apart in the caches of threads
};

}  // namespace rootstock
