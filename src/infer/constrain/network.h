#pragma once
// Rules compiled to one recursive transition network over bytes: per rule a deterministic automaton whose edges carry
// bytes or calls of rules. What no text can pass is taken out, so that every state can be completed.
//
// A call never stands for the empty text: where a rule can be empty, the caller has a way around it. A loop is a rule
// for "the part, so many times", where the call says how often; its states are made once, whatever the numbers. It has
// one head, state 0 of the rule: whoever comes back to the head has finished one more round. It may be left there when
// the rounds are enough.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "infer/constrain/budget.h"
#include "infer/constrain/expression.h"
#include "infer/constrain/output_vocabulary.h"

namespace rootstock::constrain {

class Network {
public:
    struct State {
        std::int32_t first_bytes = 0, first_calls = 0;  // until those of the next state
        std::int32_t table = -1;                        // of a state with many edges: where each byte goes
        std::int32_t rest = 0;                          // the cost of the shortest way to the end of the rule or round
        std::int32_t rule = 0;
        bool accepts = false;
        bool head = false;
    };
    struct RuleInfo {
        std::int32_t begin = 0;  // its first state
        bool loop = false;
        bool plain_loop = false;    // a loop whose rounds call nothing: at most one reading at a time
        std::int32_t shortest = 0;  // the cost of its shortest text, or round, which is not empty
    };

    // invalid_argument "constraint_impossible": there is no text that satisfies the rules, or none that this
    // vocabulary can write. too_large: the budget does not suffice.
    static Network compile(const Rules& rules, const OutputVocabulary* vocabulary, Budget& budget);

    const State& state(int at) const { return states_[static_cast<std::size_t>(at)]; }
    const RuleInfo& rule(int at) const { return rules_[static_cast<std::size_t>(at)]; }
    std::span<const ByteEdge> bytes(int at) const {
        return slice(bytes_, state(at).first_bytes, state(at + 1).first_bytes);
    }
    std::span<const CallEdge> calls(int at) const {
        return slice(calls_, state(at).first_calls, state(at + 1).first_calls);
    }
    int states() const { return static_cast<int>(states_.size()) - 1; }
    bool empty_text() const { return empty_text_; }  // the empty text satisfies the rules
    bool some_text() const { return some_text_; }    // another one does

    // Where a byte leads within the rule; -1: nowhere.
    int follow(int at, std::uint8_t byte) const {
        if (const auto table = state(at).table; table >= 0) return tables_[static_cast<std::size_t>(table) + byte];
        for (const auto& edge : bytes(at))
            if (byte <= edge.high) return byte >= edge.low ? edge.to : -1;
        return -1;
    }
    // Costs are bytes, and one more for each call: never less than the bytes.
    std::int32_t cost(const Call& call) const;
    bool only_ends(int at) const {
        return state(at).accepts && !state(at).head && bytes(at).empty() && calls(at).empty();
    }
    // Writes the shortest text from a state on to the end of its rule or round; of a call.
    void write_rest(int at, std::string& text) const { write_way(at, state(at).rest, text); }
    void write_shortest(const Call& call, std::string& text) const;

private:
    friend class NetworkBuilder;
    void write_way(int at, std::int32_t cost, std::string& text) const;
    template <typename Edge>
    static std::span<const Edge> slice(const std::vector<Edge>& all, std::int32_t from, std::int32_t to) {
        return std::span(all).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
    }

    std::vector<State> states_;  // one more than there are
    std::vector<ByteEdge> bytes_;
    std::vector<CallEdge> calls_;
    std::vector<std::int32_t> tables_;
    std::vector<RuleInfo> rules_;
    bool empty_text_ = false, some_text_ = false;
};

constexpr std::int32_t far_away = 1 << 28;  // a cost: as good as never

// A regular expression without calls and loops as an automaton of its own, over what the vocabulary can write.
Automaton automaton_of(const Part& part, const OutputVocabulary* vocabulary, Budget& budget);

}  // namespace rootstock::constrain
