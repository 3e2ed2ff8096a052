#include "infer/decode/answer_span.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace rootstock {
namespace {

// Probabilities of one of the two columns: over the text's tokens and the first token, zero elsewhere.
std::vector<float> probabilities(const AnswerWindow& window, std::size_t column, const std::vector<bool>& counts) {
    const auto at = [&](std::size_t t) { return window.logits[2 * t + column]; };
    float largest = at(0);
    for (std::size_t t = 0; t < counts.size(); ++t)
        if (counts[t]) largest = std::max(largest, at(t));
    std::vector<float> shares(counts.size());
    double sum = 0;
    for (std::size_t t = 0; t < counts.size(); ++t)
        if (counts[t]) sum += shares[t] = std::exp(at(t) - largest);
    for (float& share : shares) share = static_cast<float>(share / sum);
    return shares;
}

// Which tokens an answer may be made of, and the first.
std::vector<bool> candidates(const Encoding& pair) {
    const auto tokens = pair.ids.size();
    const bool typed = std::ranges::find(pair.type_ids, 1) != pair.type_ids.end();
    std::vector<bool> counts(tokens);
    bool question = false, text = false;
    for (std::size_t t = 0; t < tokens; ++t) {
        if (question && pair.special[t]) text = true;
        if (!pair.special[t]) question = true;
        counts[t] = !pair.special[t] && (typed ? pair.type_ids[t] == 1 : text);
    }
    counts[0] = true;
    return counts;
}

void keep(const AnswerSpan& answer, std::vector<AnswerSpan>& best, std::size_t most) {
    const auto same = std::ranges::find(best, answer.span, &AnswerSpan::span);
    if (same != best.end()) {
        if (same->score >= answer.score) return;
        best.erase(same);
    }
    const auto place = std::ranges::upper_bound(best, answer.score, std::greater<>(), &AnswerSpan::score);
    best.insert(place, answer);
    if (best.size() > most) best.pop_back();
}

void look_through(const AnswerWindow& window, const AnswerSettings& settings, AnswerSpans& answers, bool first) {
    const auto& pair = *window.pair;
    const auto tokens = pair.ids.size(), longest = static_cast<std::size_t>(std::max(1, settings.tokens_max));
    const auto most = static_cast<std::size_t>(std::max(1, settings.answers_max));
    ROOTSTOCK_CHECK(tokens > 0 && window.logits.size() == 2 * tokens, "every token has two logits");
    const auto counts = candidates(pair);
    const auto begins = probabilities(window, 0, counts), ends = probabilities(window, 1, counts);
    const float none = begins[0] * ends[0];
    answers.none = first ? none : std::min(answers.none, none);
    for (std::size_t b = 1; b < tokens; ++b)
        for (std::size_t e = b; counts[b] && e < std::min(tokens, b + longest) && counts[e]; ++e) {
            const float score = begins[b] * ends[e];
            if (answers.best.size() == most && score <= answers.best.back().score) continue;
            keep({{pair.offsets[b].begin, pair.offsets[e].end}, score}, answers.best, most);
        }
}

}  // namespace

AnswerSpans find_answers(std::span<const AnswerWindow> windows, AnswerSettings settings) {
    AnswerSpans answers;
    for (std::size_t i = 0; i < windows.size(); ++i) look_through(windows[i], settings, answers, i == 0);
    return answers;
}

}  // namespace rootstock
