#pragma once
// What a model can write: the bytes of each of its tokens, as a trie that is walked together with a constraint. Made
// once per model and shared by all constraints over it.
//
// Special tokens add nothing to a text and are never written under a constraint, but for the end ids. A token whose
// bytes break off within a character is used only where the vocabulary holds a token for every byte, so that the
// character can always be completed; a vocabulary without such tokens can write the characters that are tokens by
// themselves, which may leave out some that a constraint needs (T5 has no braces: the compilers then say so).

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/data.h"

namespace rootstock {

// Tokens in the order of their bytes, as the nodes of a trie from left to right: a node's first child follows it, its
// next sibling stands at `after`. Node 0 is the root; ids that stand there add nothing to a text.
class TokenTrie {
public:
    struct Node {
        std::int32_t after = 0;  // the first node that is not below this one
        std::int32_t first = 0;  // its ids are ids()[first, first + count)
        std::uint16_t count = 0;
        std::uint8_t depth = 0;
        std::uint8_t byte = 0;
    };
    static constexpr std::size_t bytes_max = 255;  // longer tokens are left out

    struct Token {
        std::string bytes;
        std::int32_t id = 0;
    };
    static TokenTrie make(std::vector<Token> tokens);

    std::span<const Node> nodes() const { return nodes_; }
    std::span<const std::int32_t> ids(const Node& node) const {
        return std::span(ids_).subspan(static_cast<std::size_t>(node.first), node.count);
    }
    int longest() const { return longest_; }  // bytes
    struct Match {
        std::size_t length = 0;  // 0: none
        std::int32_t id = -1;
    };
    Match longest_prefix(std::string_view bytes) const;  // the longest token that `bytes` begin with

private:
    std::vector<Node> nodes_;
    std::vector<std::int32_t> ids_;
    std::array<std::int32_t, 256> begins_{};  // by a token's first byte: its node; 0: none
    int longest_ = 0;
};

namespace constrain {
class SharedMasks;
}

class OutputVocabulary {
public:
    // `end_ids`: the ids that end a text of this model.
    // unsupported: this tokenizer's tokens have no bytes of their own (see Tokenizer::bytes_in_text).
    static Result<std::shared_ptr<const OutputVocabulary>> make(const Tokenizer& tokenizer,
                                                                std::span<const int> end_ids);

    std::size_t id_end() const { return bytes_.size(); }
    std::span<const std::int32_t> end_ids() const { return end_ids_; }
    bool ends(std::int32_t id) const;
    std::string_view bytes(std::int32_t id, bool first) const;  // empty: never written
    // A token whose space the tokenizer drops at the beginning of a text ("▁"), so that nothing is left of it there.
    bool adds_nothing_first(std::int32_t id) const;
    // Tokens as a text's first one, where the tokenizer may drop a space, and later.
    const TokenTrie& trie(bool first) const { return first && first_differs_ ? first_trie_ : trie_; }

    // What constraints over this vocabulary found out and share; safe to use from many threads.
    constrain::SharedMasks& shared_masks() const { return *shared_masks_; }

    bool writes_all_bytes() const { return writes_all_bytes_; }
    // Characters that are tokens by themselves, in order; of use where not all bytes can be written.
    std::span<const std::int32_t> characters() const { return characters_; }

private:
    OutputVocabulary();
    std::vector<TokenTrie::Token> usable(bool first) const;
    void find_characters();

    std::vector<std::string> bytes_, first_bytes_;  // by id; first_bytes_ only where they differ
    std::vector<std::int32_t> end_ids_, characters_;
    TokenTrie trie_, first_trie_;
    std::shared_ptr<constrain::SharedMasks> shared_masks_;
    bool first_differs_ = false, writes_all_bytes_ = false;
};

}  // namespace rootstock
