#pragma once
// From expressions to automata (Thompson, 1968), one rule after the other. Repetitions with numbers become copies where
// that is small, else loops: rules of their own, which are found here and get their automata like the others.

#include <map>
#include <optional>
#include <vector>

#include "infer/constrain/expression.h"
#include "infer/constrain/output_vocabulary.h"

namespace rootstock::constrain {

class Unfolding {
public:
    // `vocabulary`: leave out characters it cannot write; null: it writes all. `loops` false: copies only.
    Unfolding(std::vector<Part> bodies, const OutputVocabulary* vocabulary, Budget& budget, bool loops = true);

    struct Rule {
        Automaton automaton;
        bool loop = false;
    };
    // All rules; further ones may come while the first are made.
    std::vector<Rule> rules();
    bool may_be_empty(int rule) const { return empty_[static_cast<std::size_t>(rule)]; }
    Automaton automaton_of(const Part& part);

private:
    void find_empty();
    bool may_be_empty(const Part& part) const;
    bool graph_may_be_empty(const Expression& graph) const;
    Automaton loop_automaton(int rule);
    int loop_of(const Part& part);

    int unfold(LooseAutomaton& loose, const Part& part, int from);  // the state where the part ends
    int unfold_text(LooseAutomaton& loose, std::string_view text, int from);
    int unfold_characters(LooseAutomaton& loose, const CharacterSet& set, int from);
    int unfold_choice(LooseAutomaton& loose, const Expression& expression, int from);
    int unfold_repeat(LooseAutomaton& loose, const Expression& expression, int from);
    int unfold_copies(LooseAutomaton& loose, const Expression& expression, int from);
    int unfold_automaton(LooseAutomaton& loose, const Automaton& automaton, int from);
    int unfold_graph(LooseAutomaton& loose, const Expression& expression, int from);
    std::size_t size_of(const Part& part) const;

    std::vector<Part> bodies_;  // of loops: one round
    std::vector<bool> empty_, loop_;
    std::map<const Expression*, int> loops_;  // by what they repeat
    const OutputVocabulary* vocabulary_;
    std::optional<CharacterSet> alphabet_;
    Budget& budget_;
    bool may_loop_;
    int depth_ = 0;
};

}  // namespace rootstock::constrain
