#pragma once
// From "begins here" and "ends here" of every token to the best answers in a text (Devlin et al., 2019, section 4.2). A
// long text is read through windows that overlap; an answer found in several of them counts once, with its best score.

#include <cstdint>
#include <span>
#include <vector>

#include "data/data.h"

namespace rootstock {

struct AnswerSpan {
    CharSpan span;    // code points of the text, end exclusive
    float score = 0;  // probability that it begins here times that it ends here, in its window
};

struct AnswerSpans {
    std::vector<AnswerSpan> best;  // best first; spans differ
    float none = 0;                // the least, over the windows, of the probability that there is no answer
};

struct AnswerSettings {
    int tokens_max = 30;  // of one answer
    int answers_max = 1;
};

// One window's question and stretch of text; `logits` [tokens, 2].
struct AnswerWindow {
    const Encoding* pair = nullptr;
    std::span<const float> logits;
};

// The text's tokens are those of type 1, or, where the tokenizer tells no types apart, those behind the special tokens
// that follow the question. The first token stands for "no answer".
AnswerSpans find_answers(std::span<const AnswerWindow> windows, AnswerSettings settings = {});

}  // namespace rootstock
