#pragma once
// Finite automata over bytes. Beside bytes, an edge may carry a call: the text of a whole rule, `min` to `max` times
// where the rule is a loop (see network.h); to the automaton a call is one more symbol.

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "infer/constrain/budget.h"

namespace rootstock::constrain {

struct Call {
    int rule = 0, min = 1, max = 1;
    auto operator<=>(const Call&) const = default;
};

struct ByteEdge {
    std::uint8_t low = 0, high = 0;
    int to = 0;
};

struct CallEdge {
    Call call = {};
    int to = 0;
};

// A deterministic one. It begins in state 0; edges of a state stand in the order of their bytes and never overlap.
struct Automaton {
    struct State {
        std::vector<ByteEdge> bytes = {};
        std::vector<CallEdge> calls = {};
        bool accepts = false;
    };
    std::vector<State> states = {};

    bool accepts(std::string_view text) const;  // of one without calls
};

// One being built: edges in any order, empty ones too.
class LooseAutomaton {
public:
    int state() { return states_++; }
    void empty(int from, int to) { edges_.push_back({from, to, Kind::empty, {}, {}}); }
    void bytes(int from, std::uint8_t low, std::uint8_t high, int to) {
        edges_.push_back({from, to, Kind::bytes, {low, high, to}, {}});
    }
    void call(int from, Call call, int to) { edges_.push_back({from, to, Kind::call, {}, call}); }

    // The subset construction (Rabin and Scott, 1959).
    Automaton determined(int begin, int end, Budget& budget) const;

private:
    friend class Subsets;
    enum class Kind { empty, bytes, call };
    struct Edge {
        int from, to;
        Kind kind;
        ByteEdge bytes;
        Call call;
    };
    int states_ = 0;
    std::vector<Edge> edges_;
};

// Of automata without calls.
Automaton intersection(const Automaton& a, const Automaton& b, Budget& budget);
Automaton difference(const Automaton& a, const Automaton& b, Budget& budget);  // texts of a that are none of b
bool accepts_nothing(const Automaton& automaton);

}  // namespace rootstock::constrain
