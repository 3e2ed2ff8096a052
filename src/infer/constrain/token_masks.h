#pragma once
// Which tokens may come next, state by state. What a token does within the rule that a state belongs to is the same
// whoever called the rule, so it is found once per state, by walking all tokens as a trie along the network, and kept.
// Where a token goes beyond the end of the rule, the caller has to be asked each time; those tokens are few.

#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "infer/constrain/output_vocabulary.h"
#include "infer/constrain/reader.h"

namespace rootstock::constrain {

using Bits = std::span<std::uint64_t>;

inline void set_bit(Bits bits, std::int32_t id) {
    const auto word = static_cast<std::size_t>(id) / 64;
    if (word < bits.size()) bits[word] |= std::uint64_t{1} << (static_cast<std::size_t>(id) % 64);
}

// The tokens that stay within the rule of a state or end with it.
struct StateMask {
    struct Counted {
        std::int32_t rounds, id;
    };
    // A node of the trie whose byte comes right behind the end of the rule, or behind the loop's head.
    struct Return {
        std::int32_t node, rounds;  // done until there
        bool at_head;
        std::uint8_t byte;
    };
    std::vector<std::uint64_t> bits;  // all of them; where they are few, `ids` instead
    std::vector<std::int32_t> ids;
    std::vector<Counted> counted;  // in a plain loop: the rounds that each token needs, in rising order
    std::vector<Return> returns;   // in the order of at_head and byte
    bool complete = true;          // no limit was reached

    std::size_t size() const;  // bytes of memory, roughly
    void add_to(Bits bits, std::int32_t rounds_allowed) const;
};

// For one constraint. Safe to use from many threads.
class TokenMasks {
public:
    TokenMasks(std::shared_ptr<const Network> network, std::shared_ptr<const OutputVocabulary> vocabulary)
        : network_(std::move(network)), vocabulary_(std::move(vocabulary)) {}

    // Sets the bits of all ids that can follow where `reader` stands. The reader comes back as it was. False: some may
    // be missing, as finding them takes too much.
    bool mark(Reader& reader, bool first, Bits bits);
    // Finds the masks of the first states where most bytes may follow, as within a string: those that take longest.
    void prepare();
    const Network& network() const { return *network_; }
    const OutputVocabulary& vocabulary() const { return *vocabulary_; }

private:
    std::shared_ptr<const StateMask> mask_of(int state, bool first);
    std::shared_ptr<const StateMask> shared_or_found(int state, bool first) const;
    StateMask found(int state, bool first) const;
    bool mark_returns(Reader& reader, const Configuration& at, const StateMask& mask, bool first, Bits bits);
    bool mark_behind(Reader& reader, std::span<const StateMask::Return> returns, const Reader::Rounds& rounds,
                     bool first, Bits bits);

    std::shared_ptr<const Network> network_;
    std::shared_ptr<const OutputVocabulary> vocabulary_;
    std::mutex lock_;
    std::unordered_map<std::int64_t, std::shared_ptr<const StateMask>> kept_;
    std::size_t kept_bytes_ = 0;
};

}  // namespace rootstock::constrain
