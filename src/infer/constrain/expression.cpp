#include "infer/constrain/expression.h"

namespace rootstock::constrain {

namespace {

using Kind = Expression::Kind;

Part made(Expression expression) { return std::make_shared<const Expression>(std::move(expression)); }

}  // namespace

Part nothing() {
    static const Part part = made({.kind = Kind::text});
    return part;
}

Part never() {
    static const Part part = made({.kind = Kind::choice});
    return part;
}

Part text(std::string utf8) { return made({.kind = Kind::text, .text = std::move(utf8)}); }

Part characters(CharacterSet set) { return made({.kind = Kind::characters, .characters = std::move(set)}); }

Part sequence(std::vector<Part> parts) {
    return parts.size() == 1 ? parts[0] : made({.kind = Kind::sequence, .parts = std::move(parts)});
}

Part choice(std::vector<Part> parts) {
    return parts.size() == 1 ? parts[0] : made({.kind = Kind::choice, .parts = std::move(parts)});
}

Part repeat(Part part, int min, int max) {
    return made({.kind = Kind::repeat, .parts = {std::move(part)}, .min = min, .max = max});
}

Part maybe(Part part) { return repeat(std::move(part), 0, 1); }

Part call(int rule) { return made({.kind = Kind::rule, .rule = rule}); }

Part automaton(Automaton automaton) {
    return made({.kind = Kind::automaton, .automaton = std::make_shared<const Automaton>(std::move(automaton))});
}

void Graph::edge(int from, int to, Part part) {
    edges_.push_back({from, to});
    parts_.push_back(std::move(part));
}

Part Graph::done(int last) {
    const int end = node();
    edge(last, end, nothing());
    return made({.kind = Kind::graph, .parts = std::move(parts_), .edges = std::move(edges_), .nodes = nodes_});
}

}  // namespace rootstock::constrain
