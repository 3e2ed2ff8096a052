#pragma once
// What the compilers make of a constraint: rules whose bodies are expressions, regular ones with calls of rules among
// them. Expressions are immutable and shared.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infer/constrain/automaton.h"
#include "infer/constrain/character_set.h"

namespace rootstock::constrain {

struct Expression;
using Part = std::shared_ptr<const Expression>;

constexpr int without_end = -1;  // of a repetition

struct Expression {
    enum class Kind { text, characters, sequence, choice, repeat, rule, automaton, graph } kind = Kind::text;
    std::string text = {};         // UTF-8
    CharacterSet characters = {};  // one of them
    std::vector<Part> parts = {};  // of a sequence or choice; the one of a repeat; what the edges of a graph carry
    int min = 0, max = 0;          // of a repeat
    int rule = 0;
    std::shared_ptr<const Automaton> automaton = {};
    struct Edge {
        int from = 0, to = 0;
    };
    std::vector<Edge> edges = {};  // of a graph: from node 0 to node `nodes` - 1
    int nodes = 0;
};

Part nothing();  // the empty text
Part never();    // no text at all
Part text(std::string utf8);
Part characters(CharacterSet set);
Part sequence(std::vector<Part> parts);
Part choice(std::vector<Part> parts);
Part repeat(Part part, int min, int max);
Part maybe(Part part);
Part call(int rule);
Part automaton(Automaton automaton);

class Graph {
public:
    int node() { return nodes_++; }
    void edge(int from, int to, Part part);
    Part done(int last);  // from the node made first to this one

private:
    int nodes_ = 0;
    std::vector<Expression::Edge> edges_;
    std::vector<Part> parts_;
};

// The rules of one constraint; rule 0 is what the whole text must be.
class Rules {
public:
    Rules() { add(); }
    int add() {
        bodies_.push_back(never());
        return static_cast<int>(bodies_.size()) - 1;
    }
    void define(int rule, Part body) { bodies_[static_cast<std::size_t>(rule)] = std::move(body); }
    const std::vector<Part>& bodies() const { return bodies_; }

private:
    std::vector<Part> bodies_;
};

}  // namespace rootstock::constrain
