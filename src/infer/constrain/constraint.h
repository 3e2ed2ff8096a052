#pragma once
// constrain: a language model writes only what a JSON schema, a regular expression, a list of choices or a grammar
// allows. Pure code over bytes: no model, no scores. Before each token, a state marks the ids that may come next; a
// marked id never leads to where no allowed text could be completed, so that a text which ends where the state says it
// may end is valid, always.
//
//   schema | regex | choices | grammar  --compile-->  Constraint  --begin-->  ConstraintState, one per text
//   scores --mask--> allowed scores --sampler--> id --accept--> next state
//
// Method: the text's bytes are read by a recursive transition network in the manner of Earley (1970); a vocabulary's
// tokens are walked as one trie together with it (Willard and Louf, 2023; Dong et al., 2024).

#include <cstdint>
#include <memory>
#include <span>

namespace rootstock {

// Where one text stands in its constraint. Not for two threads at once.
class ConstraintState {
public:
    virtual ~ConstraintState() = default;

    // One bit per id, from the lowest of bits[0] on: set where the id may come next, clear everywhere else, ids beyond
    // the vocabulary included. The model's end ids are set exactly when may_end(). At least one bit is set.
    virtual void mask(std::span<std::uint64_t> bits) = 0;

    // Goes on with an id that mask() allows. After an end id the state is finished and takes nothing more.
    virtual void accept(std::int32_t id) = 0;

    // Whether mask() has left out ids that may have been allowed: a constraint that reads one text in very many ways at
    // once would take too long to follow in all of them. What is written stays valid.
    virtual bool left_out() const { return false; }

    virtual bool may_end() const = 0;   // the text so far is complete
    virtual bool finished() const = 0;  // it is complete and nothing can follow: no need to ask the model again

    // How many tokens surely suffice to complete the text from here; 0 when may_end().
    virtual int tokens_to_end() = 0;
    // Whether the text can still be completed with `tokens_left` tokens after `id`, which mask() allows. When
    // tokens_to_end() is not above the tokens left before, at least one allowed id fits; so a writer that only takes
    // ids that fit is never cut off in the middle.
    virtual bool fits(std::int32_t id, int tokens_left) = 0;
    // An id that surely fits then, the first of the way that tokens_to_end() counts; -1: find one by mask() and fits().
    virtual std::int32_t way_out() { return -1; }
};

// Compiled, immutable, shared by any number of texts and threads.
class Constraint {
public:
    virtual ~Constraint() = default;
    virtual std::unique_ptr<ConstraintState> begin() const = 0;
};

}  // namespace rootstock
