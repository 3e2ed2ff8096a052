#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "infer/decode/answer_span.h"
#include "infer/decode/entities.h"

namespace rootstock {
namespace {

// One token a letter, between two special tokens.
Encoding letters(std::size_t count, int type = 0) {
    Encoding text;
    for (std::size_t i = 0; i < count + 2; ++i) {
        const bool special = i == 0 || i == count + 1;
        text.ids.push_back(static_cast<std::int32_t>(i));
        text.type_ids.push_back(type);
        text.special.push_back(special);
        const auto at = special ? 0 : static_cast<std::int32_t>(i - 1);
        text.offsets.push_back({at, special ? 0 : at + 1});
    }
    return text;
}

const std::vector<std::string> labels{"O", "B-PER", "I-PER", "B-LOC", "I-LOC", "S-ORG", "E-PER", "THING"};

// The entities of tokens with these labels, each as "LABEL begin end".
std::vector<std::string> entities(const std::vector<std::size_t>& tags) {
    const auto text = letters(tags.size());
    std::vector<float> logits(labels.size() * text.ids.size());
    logits[1] = 9;  // the special token says B-PER; nobody listens
    for (std::size_t t = 0; t < tags.size(); ++t) logits[(t + 1) * labels.size() + tags[t]] = 5;
    std::vector<std::string> said;
    for (const auto& entity : read_entities(logits, labels, text)) {
        said.push_back(entity.label + " " + std::to_string(entity.span.begin) + " " + std::to_string(entity.span.end));
        EXPECT_NEAR(entity.score, 1 / (1 + 7 * std::exp(-5.0)), 1e-5);
    }
    return said;
}

using Said = std::vector<std::string>;

TEST(Entities, FollowTheirMarks) {
    EXPECT_EQ(entities({0, 1, 2, 2, 0, 3}), (Said{"PER 1 4", "LOC 5 6"}));
    EXPECT_EQ(entities({1, 1, 2}), (Said{"PER 0 1", "PER 1 3"}));  // a new beginning
    EXPECT_EQ(entities({2, 4, 4}), (Said{"PER 0 1", "LOC 1 3"}));  // inside without a beginning
    EXPECT_EQ(entities({1, 6, 2}), (Said{"PER 0 2", "PER 2 3"}));  // an end ends it
    EXPECT_EQ(entities({5, 5}), (Said{"ORG 0 1", "ORG 1 2"}));     // single ones stay apart
    EXPECT_EQ(entities({7, 7, 0, 7}), (Said{"THING 0 2", "THING 3 4"}));
    EXPECT_EQ(entities({0, 0}), Said{});
    EXPECT_EQ(entities({}), Said{});
}

// A question of two letters and a text of `count`, which begins at letter `from` of the whole.
Encoding window(std::size_t count, std::int32_t from) {
    auto pair = letters(2);
    auto text = letters(count, 1);
    for (std::size_t t = 1; t < text.ids.size(); ++t) {
        pair.ids.push_back(text.ids[t]);
        pair.type_ids.push_back(1);
        pair.special.push_back(text.special[t]);
        auto span = text.offsets[t];
        if (!text.special[t]) span.begin += from, span.end += from;
        pair.offsets.push_back(span);
    }
    return pair;
}

TEST(AnswerSpan, TakesTheBestOfAllWindows) {
    const auto first = window(4, 0), second = window(4, 2);
    std::vector<float> one(2 * first.ids.size()), two = one;
    one[2 * 1] = one[2 * 2 + 1] = 20;                // in the question: no answer stands there
    one[2 * (4 + 1)] = 6, one[2 * (4 + 2) + 1] = 6;  // letters 1 to 3
    two[2 * (4 + 1)] = 8, two[2 * (4 + 3) + 1] = 8;  // letters 3 to 6
    const std::vector<AnswerWindow> windows{{&first, one}, {&second, two}};
    auto answers = find_answers(windows, {.tokens_max = 3, .answers_max = 2});
    ASSERT_EQ(answers.best.size(), 2u);
    EXPECT_EQ(answers.best[0].span, (CharSpan{3, 6}));
    EXPECT_EQ(answers.best[1].span, (CharSpan{1, 3}));
    const double begin = std::exp(8.0) / (std::exp(8.0) + 4);
    EXPECT_NEAR(answers.best[0].score, begin * begin, 1e-5);
    EXPECT_NEAR(answers.none, std::pow(1 / (std::exp(8.0) + 4), 2), 1e-7);
    answers = find_answers(windows, {.tokens_max = 2, .answers_max = 1});
    EXPECT_EQ(answers.best[0].span, (CharSpan{1, 3}));  // the longer one is too long
}

// The same stretch in two windows counts once, with the better score.
TEST(AnswerSpan, CountsAStretchOnce) {
    const auto first = window(4, 0), second = window(4, 2);
    std::vector<float> one(2 * first.ids.size()), two = one;
    one[2 * (4 + 2)] = one[2 * (4 + 3) + 1] = 3;  // letters 2 to 4
    two[2 * (4 + 0)] = two[2 * (4 + 1) + 1] = 5;  // the same
    const std::vector<AnswerWindow> windows{{&first, one}, {&second, two}};
    const auto answers = find_answers(windows, {.answers_max = 3});
    EXPECT_EQ(answers.best[0].span, (CharSpan{2, 4}));
    EXPECT_EQ(std::ranges::count(answers.best, CharSpan{2, 4}, &AnswerSpan::span), 1);
    EXPECT_NEAR(answers.best[0].score, std::pow(std::exp(5.0) / (std::exp(5.0) + 4), 2), 1e-5);
}

}  // namespace
}  // namespace rootstock
