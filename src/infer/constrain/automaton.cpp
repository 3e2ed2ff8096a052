#include "infer/constrain/automaton.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace rootstock::constrain {

bool Automaton::accepts(std::string_view text) const {
    int state = 0;
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        const auto& edges = states[static_cast<std::size_t>(state)].bytes;
        const auto edge = std::ranges::lower_bound(edges, byte, {}, &ByteEdge::high);
        if (edge == edges.end() || edge->low > byte) return false;
        state = edge->to;
    }
    return states[static_cast<std::size_t>(state)].accepts;
}

namespace {

struct SetHash {
    std::size_t operator()(const std::vector<int>& set) const {
        std::size_t hash = 0xCBF29CE484222325ULL;
        for (const int state : set) hash = (hash ^ static_cast<std::size_t>(state)) * 0x100000001B3ULL;
        return hash;
    }
};

}  // namespace

class Subsets {
public:
    Subsets(const LooseAutomaton& loose, Budget& budget) : budget_(budget) {
        std::vector<const LooseAutomaton::Edge*> sorted;
        for (const auto& edge : loose.edges_) sorted.push_back(&edge);
        std::ranges::stable_sort(sorted, {}, [](const auto* edge) { return edge->from; });
        begins_.assign(static_cast<std::size_t>(loose.states_) + 1, 0);
        for (const auto* edge : sorted) ++begins_[static_cast<std::size_t>(edge->from) + 1];
        for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
        edges_ = std::move(sorted);
        seen_.assign(static_cast<std::size_t>(loose.states_), 0);
        budget_.spend(static_cast<std::size_t>(loose.states_) + edges_.size());
    }

    Automaton determined(int begin, int end) {
        number_of({begin});
        for (std::size_t i = 0; i < sets_.size(); ++i) {
            const auto set = sets_[i];
            if (std::ranges::binary_search(set, end)) made_.states[i].accepts = true;
            follow(set, i);
        }
        return std::move(made_);
    }

private:
    using Edge = LooseAutomaton::Edge;
    using Kind = LooseAutomaton::Kind;

    std::span<const Edge* const> edges_of(int state) const {
        const auto at = static_cast<std::size_t>(state);
        return std::span(edges_).subspan(begins_[at], begins_[at + 1] - begins_[at]);
    }

    // All states that empty edges lead to, in order.
    std::vector<int> closed(std::vector<int> set) {
        ++round_;
        std::erase_if(set, [&](int state) { return !first_seen(state); });
        for (std::size_t i = 0; i < set.size(); ++i)
            for (const auto* edge : edges_of(set[i]))
                if (edge->kind == Kind::empty && first_seen(edge->to)) set.push_back(edge->to);
        std::ranges::sort(set);
        return set;
    }

    bool first_seen(int state) { return std::exchange(seen_[static_cast<std::size_t>(state)], round_) != round_; }

    int number_of(std::vector<int> targets) {
        auto set = closed(std::move(targets));
        budget_.spend(set.size() + 8);
        const auto [place, fresh] = numbers_.try_emplace(set, static_cast<int>(sets_.size()));
        if (fresh) {
            sets_.push_back(std::move(set));
            made_.states.emplace_back();
        }
        return place->second;
    }

    void follow(const std::vector<int>& set, std::size_t number) {
        std::vector<const Edge*> bytes;
        std::map<Call, std::vector<int>> calls;
        for (const int state : set)
            for (const auto* edge : edges_of(state)) {
                if (edge->kind == Kind::bytes) bytes.push_back(edge);
                if (edge->kind == Kind::call) calls[edge->call].push_back(edge->to);
            }
        follow_bytes(bytes, number);
        for (auto& [call, targets] : calls) {
            const int to = number_of(std::move(targets));
            made_.states[number].calls.push_back({call, to});
        }
    }

    void follow_bytes(const std::vector<const Edge*>& edges, std::size_t number) {
        std::vector<int> cuts;  // where the set of edges changes
        for (const auto* edge : edges) cuts.push_back(edge->bytes.low), cuts.push_back(edge->bytes.high + 1);
        std::ranges::sort(cuts);
        cuts.erase(std::ranges::unique(cuts).begin(), cuts.end());
        budget_.spend(cuts.size() * edges.size());
        for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
            std::vector<int> targets;
            for (const auto* edge : edges)
                if (edge->bytes.low <= cuts[i] && cuts[i] <= edge->bytes.high) targets.push_back(edge->to);
            if (targets.empty()) continue;
            const int to = number_of(std::move(targets));
            auto& made = made_.states[number].bytes;
            const auto low = static_cast<std::uint8_t>(cuts[i]), high = static_cast<std::uint8_t>(cuts[i + 1] - 1);
            if (!made.empty() && made.back().to == to && made.back().high + 1 == low)
                made.back().high = high;
            else
                made.push_back({low, high, to});
        }
    }

    Budget& budget_;
    std::vector<const Edge*> edges_;
    std::vector<std::size_t> begins_;
    std::vector<std::uint32_t> seen_;
    std::uint32_t round_ = 0;
    std::vector<std::vector<int>> sets_;
    std::unordered_map<std::vector<int>, int, SetHash> numbers_;
    Automaton made_;
};

Automaton LooseAutomaton::determined(int begin, int end, Budget& budget) const {
    return Subsets(*this, budget).determined(begin, end);
}

namespace {

constexpr int nowhere = -1;

// Both automata side by side; the second may have fallen out of its states where `second_may_fail`.
class Product {
public:
    Product(const Automaton& a, const Automaton& b, bool minus, Budget& budget)
        : a_(a), b_(b), minus_(minus), budget_(budget) {}

    Automaton made() {
        number_of(0, b_.states.empty() ? nowhere : 0);
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            const auto [a, b] = pairs_[i];
            const bool second = b != nowhere && b_.states[static_cast<std::size_t>(b)].accepts;
            made_.states[i].accepts = a_.states[static_cast<std::size_t>(a)].accepts && second != minus_;
            follow(a, b, i);
        }
        return std::move(made_);
    }

private:
    int number_of(int a, int b) {
        budget_.spend(8);
        const auto [place, fresh] = numbers_.try_emplace({a, b}, static_cast<int>(pairs_.size()));
        if (fresh) {
            pairs_.emplace_back(a, b);
            made_.states.emplace_back();
        }
        return place->second;
    }

    void add(std::size_t number, int low, int high, int a, int b) {
        if (low > high || (b == nowhere && !minus_)) return;
        const int to = number_of(a, b);
        made_.states[number].bytes.push_back({static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high), to});
    }

    void follow(int a, int b, std::size_t number) {
        static const std::vector<ByteEdge> none;
        const auto& others = b == nowhere ? none : b_.states[static_cast<std::size_t>(b)].bytes;
        for (const auto& edge : a_.states[static_cast<std::size_t>(a)].bytes) {
            int low = edge.low;
            for (const auto& other : others) {
                if (other.high < low || other.low > edge.high) continue;
                add(number, low, other.low - 1, edge.to, nowhere);
                const int high = std::min(edge.high, other.high);
                add(number, std::max<int>(low, other.low), high, edge.to, other.to);
                low = high + 1;
            }
            add(number, low, edge.high, edge.to, nowhere);
        }
    }

    const Automaton &a_, &b_;
    bool minus_;
    Budget& budget_;
    std::map<std::pair<int, int>, int> numbers_;
    std::vector<std::pair<int, int>> pairs_;
    Automaton made_;
};

}  // namespace

Automaton intersection(const Automaton& a, const Automaton& b, Budget& budget) {
    return Product(a, b, false, budget).made();
}

Automaton difference(const Automaton& a, const Automaton& b, Budget& budget) {
    return Product(a, b, true, budget).made();
}

bool accepts_nothing(const Automaton& automaton) {
    std::vector<bool> seen(automaton.states.size());
    std::vector<std::size_t> open{0};
    while (!open.empty()) {
        const auto at = open.back();
        open.pop_back();
        if (seen[at]) continue;
        seen[at] = true;
        if (automaton.states[at].accepts) return false;
        for (const auto& edge : automaton.states[at].bytes) open.push_back(static_cast<std::size_t>(edge.to));
    }
    return true;
}

}  // namespace rootstock::constrain
