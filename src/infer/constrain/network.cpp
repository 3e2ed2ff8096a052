#include "infer/constrain/network.h"

#include <algorithm>

#include "infer/constrain/unfolding.h"

namespace rootstock::constrain {

namespace {

constexpr std::size_t scanned_edges_max = 4;  // more get a table

std::int32_t sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int32_t>(std::min<std::int64_t>(a + b, far_away));
}

}  // namespace

std::int32_t Network::cost(const Call& call) const {
    const auto& info = rule(call.rule);
    const std::int64_t rounds = info.loop ? std::max(call.min, 1) : 1;
    return sum(rounds * info.shortest, 1);
}

void Network::write_shortest(const Call& call, std::string& text) const {
    const auto& info = rule(call.rule);
    for (int round = info.loop ? std::max(call.min, 1) : 1; round > 0; --round)
        write_way(info.begin, info.shortest, text);
}

void Network::write_way(int at, std::int32_t cost_left, std::string& text) const {
    while (cost_left > 0) {
        int next = -1;
        for (const auto& edge : bytes(at))
            if (next < 0 && sum(1, state(edge.to).rest) == cost_left) {
                text += static_cast<char>(edge.low);
                next = edge.to;
            }
        for (const auto& edge : calls(at))
            if (next < 0 && sum(cost(edge.call), state(edge.to).rest) == cost_left) {
                write_shortest(edge.call, text);
                next = edge.to;
            }
        ROOTSTOCK_CHECK(next >= 0, "a state's cost is that of one of its edges");
        at = next, cost_left = state(at).rest;
    }
}

class NetworkBuilder {
public:
    NetworkBuilder(const Rules& rules, const OutputVocabulary* vocabulary, Budget& budget) : budget_(budget) {
        Unfolding unfolding(rules.bodies(), vocabulary, budget);
        made_.empty_text_ = false;
        unfolded_ = unfolding.rules();
        made_.empty_text_ = unfolding.may_be_empty(0);
    }

    Network build() {
        place();
        find_passable();
        find_distances();
        write_edges();
        made_.some_text_ = passable_[0];
        return std::move(made_);
    }

private:
    // States of all rules in one row.
    void place() {
        for (std::size_t rule = 0; rule < unfolded_.size(); ++rule) {
            auto& [automaton, loop] = unfolded_[rule];
            const auto begin = static_cast<int>(states_.size());
            const bool plain =
                std::ranges::all_of(automaton.states, [](const auto& state) { return state.calls.empty(); });
            made_.rules_.push_back({begin, loop, loop && plain, far_away});
            for (auto& state : automaton.states) {
                for (auto& edge : state.bytes) edge.to += begin;
                for (auto& edge : state.calls) edge.to += begin;
                budget_.spend(2 + state.bytes.size() + state.calls.size());
                const bool head = loop && static_cast<int>(states_.size()) == begin;
                made_.states_.push_back(
                    {.rule = static_cast<std::int32_t>(rule), .accepts = state.accepts, .head = head});
                states_.push_back(std::move(state));
            }
        }
    }

    bool passable(const ByteEdge& edge) const { return live_[static_cast<std::size_t>(edge.to)]; }
    bool passable(const CallEdge& edge) const {
        return passable_[static_cast<std::size_t>(edge.call.rule)] && live_[static_cast<std::size_t>(edge.to)];
    }
    bool goes_on(const Automaton::State& state) const {
        const auto pass = [&](const auto& edge) { return passable(edge); };
        return std::ranges::any_of(state.bytes, pass) || std::ranges::any_of(state.calls, pass);
    }

    // Which states reach an end of their rule, and which rules have a text that is not empty. States stand roughly in
    // the order of the text, so going backwards settles most at once.
    void find_passable() {
        live_.assign(states_.size(), false);
        passable_.assign(unfolded_.size(), false);
        for (bool changed = true; changed;) {
            changed = false;
            budget_.spend(states_.size());
            for (std::size_t at = states_.size(); at-- > 0;) {
                const auto rule = static_cast<std::size_t>(made_.states_[at].rule);
                const bool begins = made_.rules_[rule].begin == static_cast<std::int32_t>(at);
                if (live_[at] && (!begins || passable_[rule])) continue;
                const bool on = goes_on(states_[at]);
                if (!live_[at] && (on || states_[at].accepts)) live_[at] = changed = true;
                if (begins && on && !passable_[rule]) passable_[rule] = changed = true;
            }
        }
    }

    std::int32_t shortest_way(const Automaton::State& state) const {
        std::int32_t best = far_away;
        for (const auto& edge : state.bytes)
            if (passable(edge)) best = std::min(best, sum(1, rest(edge.to)));
        for (const auto& edge : state.calls)
            if (passable(edge)) best = std::min(best, sum(made_.cost(edge.call), rest(edge.to)));
        return best;
    }
    std::int32_t rest(int at) const { return made_.states_[static_cast<std::size_t>(at)].rest; }

    void find_distances() {
        for (auto& state : made_.states_) state.rest = state.accepts ? 0 : far_away;
        for (bool changed = true; changed;) {
            changed = false;
            budget_.spend(states_.size());
            for (std::size_t at = states_.size(); at-- > 0;) {
                auto& state = made_.states_[at];
                auto& rule = made_.rules_[static_cast<std::size_t>(state.rule)];
                const bool begins = rule.begin == static_cast<std::int32_t>(at);
                if (state.accepts && !begins) continue;
                const auto way = shortest_way(states_[at]);
                if (!state.accepts && way < state.rest) state.rest = way, changed = true;
                if (begins && way < rule.shortest) rule.shortest = way, changed = true;
            }
        }
    }

    void write_edges() {
        for (std::size_t at = 0; at < states_.size(); ++at) {
            auto& state = made_.states_[at];
            state.first_bytes = static_cast<std::int32_t>(made_.bytes_.size());
            state.first_calls = static_cast<std::int32_t>(made_.calls_.size());
            for (const auto& edge : states_[at].bytes)
                if (passable(edge)) made_.bytes_.push_back(edge);
            for (const auto& edge : states_[at].calls)
                if (passable(edge)) made_.calls_.push_back(edge);
            const auto edges = made_.bytes_.size() - static_cast<std::size_t>(state.first_bytes);
            if (edges > scanned_edges_max) state.table = table_of(std::span(made_.bytes_).last(edges));
        }
        made_.states_.push_back({.first_bytes = static_cast<std::int32_t>(made_.bytes_.size()),
                                 .first_calls = static_cast<std::int32_t>(made_.calls_.size())});
    }

    std::int32_t table_of(std::span<const ByteEdge> edges) {
        budget_.spend(64);
        const auto begin = made_.tables_.size();
        made_.tables_.resize(begin + 256, -1);
        for (const auto& edge : edges)
            for (int byte = edge.low; byte <= edge.high; ++byte)
                made_.tables_[begin + static_cast<std::size_t>(byte)] = edge.to;
        return static_cast<std::int32_t>(begin);
    }

    Budget& budget_;
    std::vector<Unfolding::Rule> unfolded_;
    std::vector<Automaton::State> states_;
    std::vector<bool> live_, passable_;
    Network made_;
};

Network Network::compile(const Rules& rules, const OutputVocabulary* vocabulary, Budget& budget) {
    auto network = NetworkBuilder(rules, vocabulary, budget).build();
    if (network.some_text_ || network.empty_text_) return network;
    const bool all_bytes = !vocabulary || vocabulary->writes_all_bytes();
    refuse(ErrorCode::invalid_argument,
           all_bytes
               ? "no text satisfies the constraint; two of its parts exclude each other"
               : "this model's vocabulary cannot write any text that satisfies the constraint; choose another model",
           "constraint_impossible");
}

Automaton automaton_of(const Part& part, const OutputVocabulary* vocabulary, Budget& budget) {
    return Unfolding({part}, vocabulary, budget, false).automaton_of(part);
}

}  // namespace rootstock::constrain
