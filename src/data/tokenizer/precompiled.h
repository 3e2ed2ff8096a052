#pragma once
// SentencePiece's normalisation rules as its model files carry them: a double-array trie (Aoe, 1989) over the UTF-8 of
// what is replaced, and the replacements one after another, each ended by a zero byte.
//
//   blob = u32 trie bytes (little endian) | trie units u32... | replacements

#include "data/tokenizer/pieces.h"

namespace rootstock {

class PrecompiledNormalizer final : public Normalizer {
public:
    // corrupt: the blob contradicts itself. An empty blob replaces nothing.
    static Result<std::unique_ptr<PrecompiledNormalizer>> make(std::string_view blob);

    void normalize(TextView in, TextBuffer& out) const override;

    // What the longest rule at the beginning of `text` says, and how many bytes it takes; nothing without a rule.
    struct Rule {
        std::string_view replacement;
        std::size_t length = 0;
    };
    std::optional<Rule> longest_rule(std::string_view text) const;

private:
    std::optional<std::string_view> first_rule(std::string_view text) const;
    template <typename Take>
    void each_rule(std::string_view text, Take take) const;
    std::string_view replacement_at(std::uint32_t offset) const;

    std::vector<std::uint32_t> units_;
    std::string replacements_;
};

// Bytes of a Base64 text (RFC 4648); nothing when it is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace rootstock
