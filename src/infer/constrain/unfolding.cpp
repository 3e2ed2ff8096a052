#include "infer/constrain/unfolding.h"

#include <algorithm>

namespace rootstock::constrain {

namespace {

using Kind = Expression::Kind;

constexpr int depth_max = 400;               // expressions inside each other
constexpr std::size_t copied_size_max = 96;  // of a repetition that is written out

}  // namespace

Unfolding::Unfolding(std::vector<Part> bodies, const OutputVocabulary* vocabulary, Budget& budget, bool loops)
    : bodies_(std::move(bodies)), vocabulary_(vocabulary), budget_(budget), may_loop_(loops) {
    if (vocabulary_ && !vocabulary_->writes_all_bytes()) alphabet_ = CharacterSet::of(vocabulary_->characters());
    loop_.assign(bodies_.size(), false);
    find_empty();
}

// The least fixed point: a rule may be empty once all it needs may be.
void Unfolding::find_empty() {
    empty_.assign(bodies_.size(), false);
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < bodies_.size(); ++i) {
            budget_.spend(1);
            if (empty_[i] || !may_be_empty(bodies_[i])) continue;
            empty_[i] = changed = true;
        }
    }
}

bool Unfolding::may_be_empty(const Part& part) const {
    budget_.spend(1);
    const auto empty = [&](const Part& inner) { return may_be_empty(inner); };
    switch (part->kind) {
        case Kind::text:
            return part->text.empty();
        case Kind::characters:
            return false;
        case Kind::sequence:
            return std::ranges::all_of(part->parts, empty);
        case Kind::choice:
            return std::ranges::any_of(part->parts, empty);
        case Kind::repeat:
            return part->min == 0 || empty(part->parts[0]);
        case Kind::rule:
            return empty_[static_cast<std::size_t>(part->rule)];
        case Kind::automaton:
            return part->automaton->states[0].accepts;
        case Kind::graph:
            return graph_may_be_empty(*part);
    }
    return false;
}

bool Unfolding::graph_may_be_empty(const Expression& graph) const {
    std::vector<bool> reached(static_cast<std::size_t>(graph.nodes));
    reached[0] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < graph.edges.size(); ++i) {
            const auto from = static_cast<std::size_t>(graph.edges[i].from),
                       to = static_cast<std::size_t>(graph.edges[i].to);
            if (!reached[from] || reached[to] || !may_be_empty(graph.parts[i])) continue;
            reached[to] = changed = true;
        }
    }
    return reached.back();
}

std::vector<Unfolding::Rule> Unfolding::rules() {
    std::vector<Rule> made;
    for (std::size_t i = 0; i < bodies_.size(); ++i) {
        const bool loop = loop_[i];
        made.push_back({loop ? loop_automaton(static_cast<int>(i)) : automaton_of(bodies_[i]), loop});
    }
    return made;
}

Automaton Unfolding::automaton_of(const Part& part) {
    LooseAutomaton loose;
    const int begin = loose.state();
    const int end = unfold(loose, part, begin);
    return loose.determined(begin, end, budget_);
}

namespace {

bool goes_on_at_an_end(const Automaton& round) {
    const auto goes_on = [](const Automaton::State& state) {
        return state.accepts && !(state.bytes.empty() && state.calls.empty());
    };
    const auto to_begin = [](const auto& edge) { return edge.to == 0; };
    const auto comes_back = [&](const Automaton::State& state) {
        return std::ranges::any_of(state.bytes, to_begin) || std::ranges::any_of(state.calls, to_begin);
    };
    return std::any_of(round.states.begin() + 1, round.states.end(), goes_on) ||
           (round.states[0].accepts && std::ranges::any_of(round.states, comes_back));
}

}  // namespace

// The head is a state of its own in front of one round, and the round's ends are the head again. Where a round could
// also go on at its end, the end must stay apart: there the head calls the round as a rule.
Automaton Unfolding::loop_automaton(int rule) {
    const auto part = bodies_[static_cast<std::size_t>(rule)];
    auto round = automaton_of(part);
    if (goes_on_at_an_end(round)) {
        const auto own = static_cast<int>(bodies_.size());
        bodies_.push_back(part);
        empty_.push_back(false), loop_.push_back(false);
        return {{{.calls = {{{own, 1, 1}, 0}}, .accepts = true}}};
    }
    Automaton made;
    made.states.push_back(round.states[0]);
    made.states.insert(made.states.end(), round.states.begin(), round.states.end());
    for (auto& state : made.states) {
        const auto moved = [&](int to) {
            return round.states[static_cast<std::size_t>(to)].accepts && to != 0 ? 0 : to + 1;
        };
        for (auto& edge : state.bytes) edge.to = moved(edge.to);
        for (auto& edge : state.calls) edge.to = moved(edge.to);
        state.accepts = false;
    }
    made.states[0].accepts = true;
    return made;
}

int Unfolding::loop_of(const Part& part) {
    const auto [place, fresh] = loops_.try_emplace(part.get(), static_cast<int>(bodies_.size()));
    if (fresh) {
        bodies_.push_back(part);
        empty_.push_back(false), loop_.push_back(true);
    }
    return place->second;
}

int Unfolding::unfold(LooseAutomaton& loose, const Part& part, int from) {
    budget_.spend(4);
    if (++depth_ > depth_max)
        refuse(ErrorCode::too_large, "the constraint nests deeper than " + std::to_string(depth_max) + " levels",
               "constraint_too_large");
    int end = from;
    switch (part->kind) {
        case Kind::text:
            end = unfold_text(loose, part->text, from);
            break;
        case Kind::characters:
            end = unfold_characters(loose, part->characters, from);
            break;
        case Kind::sequence:
            for (const auto& inner : part->parts) end = unfold(loose, inner, end);
            break;
        case Kind::choice:
            end = unfold_choice(loose, *part, from);
            break;
        case Kind::repeat:
            end = unfold_repeat(loose, *part, from);
            break;
        case Kind::rule:
            end = loose.state();
            loose.call(from, {part->rule, 1, 1}, end);
            if (may_be_empty(part->rule)) loose.empty(from, end);
            break;
        case Kind::automaton:
            end = unfold_automaton(loose, *part->automaton, from);
            break;
        case Kind::graph:
            end = unfold_graph(loose, *part, from);
            break;
    }
    --depth_;
    return end;
}

int Unfolding::unfold_text(LooseAutomaton& loose, std::string_view text, int from) {
    budget_.spend(text.size());
    while (!text.empty()) {
        const auto character = decode_utf8(text);
        ROOTSTOCK_CHECK(character.length > 0, "the compilers make valid UTF-8");
        const bool writable = !alphabet_ || alphabet_->contains(character.code_point);
        for (const char c : text.substr(0, character.length)) {
            const int to = loose.state();
            if (writable) loose.bytes(from, static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(c), to);
            from = to;
        }
        text.remove_prefix(character.length);
    }
    return from;
}

int Unfolding::unfold_characters(LooseAutomaton& loose, const CharacterSet& set, int from) {
    const int end = loose.state();
    each_utf8_sequence(alphabet_ ? set.both(*alphabet_) : set, [&](std::span<const ByteRange> ranges) {
        budget_.spend(ranges.size());
        int at = from;
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const int to = i + 1 == ranges.size() ? end : loose.state();
            loose.bytes(at, ranges[i].low, ranges[i].high, to);
            at = to;
        }
    });
    return end;
}

int Unfolding::unfold_choice(LooseAutomaton& loose, const Expression& expression, int from) {
    const int end = loose.state();
    for (const auto& inner : expression.parts) {
        const int begin = loose.state();
        loose.empty(from, begin);
        loose.empty(unfold(loose, inner, begin), end);
    }
    return end;
}

// How many states writing it out takes, roughly.
std::size_t Unfolding::size_of(const Part& part) const {
    budget_.spend(1);
    std::size_t size = 1;
    switch (part->kind) {
        case Kind::text:
            return part->text.size();
        case Kind::characters:
            return part->characters.ranges().size();
        case Kind::automaton:
            return part->automaton->states.size();
        case Kind::repeat:
            size = size_of(part->parts[0]) * static_cast<std::size_t>(std::max({part->min, part->max, 1}));
            return std::min<std::size_t>(size, 1 << 20);
        default:
            for (const auto& inner : part->parts) size += size_of(inner);
            return std::min<std::size_t>(size, 1 << 20);
    }
}

int Unfolding::unfold_repeat(LooseAutomaton& loose, const Expression& expression, int from) {
    const auto& part = expression.parts[0];
    const auto copies = static_cast<std::size_t>(std::max(expression.min, expression.max));
    if (expression.max == 0) return from;
    if (!may_loop_ || copies <= 1 || copies * size_of(part) <= copied_size_max)
        return unfold_copies(loose, expression, from);
    const int end = loose.state();
    const int least = may_be_empty(part) ? 0 : expression.min;
    loose.call(from, {loop_of(part), least, expression.max}, end);
    if (least == 0) loose.empty(from, end);
    return end;
}

int Unfolding::unfold_copies(LooseAutomaton& loose, const Expression& expression, int from) {
    const auto& part = expression.parts[0];
    for (int i = 0; i < expression.min; ++i) from = unfold(loose, part, from);
    if (expression.max == without_end) {
        const int head = loose.state();
        loose.empty(from, head);
        const int begin = loose.state();
        loose.empty(head, begin);
        loose.empty(unfold(loose, part, begin), head);
        const int end = loose.state();
        loose.empty(head, end);
        return end;
    }
    const int end = loose.state();
    for (int i = expression.min; i < expression.max; ++i) {
        loose.empty(from, end);
        const int begin = loose.state();
        loose.empty(from, begin);
        from = unfold(loose, part, begin);
    }
    loose.empty(from, end);
    return end;
}

int Unfolding::unfold_automaton(LooseAutomaton& loose, const Automaton& automaton, int from) {
    const int end = loose.state();
    std::vector<int> states;
    for (std::size_t i = 0; i < automaton.states.size(); ++i) states.push_back(loose.state());
    loose.empty(from, states[0]);
    for (std::size_t i = 0; i < automaton.states.size(); ++i) {
        const auto& state = automaton.states[i];
        budget_.spend(1 + state.bytes.size());
        for (const auto& edge : state.bytes)
            loose.bytes(states[i], edge.low, edge.high, states[static_cast<std::size_t>(edge.to)]);
        if (state.accepts) loose.empty(states[i], end);
    }
    return end;
}

int Unfolding::unfold_graph(LooseAutomaton& loose, const Expression& expression, int from) {
    std::vector<int> nodes;
    for (int i = 0; i < expression.nodes; ++i) nodes.push_back(loose.state());
    loose.empty(from, nodes[0]);
    for (std::size_t i = 0; i < expression.edges.size(); ++i) {
        const int begin = loose.state();
        loose.empty(nodes[static_cast<std::size_t>(expression.edges[i].from)], begin);
        loose.empty(unfold(loose, expression.parts[i], begin), nodes[static_cast<std::size_t>(expression.edges[i].to)]);
    }
    return nodes.back();
}

}  // namespace rootstock::constrain
