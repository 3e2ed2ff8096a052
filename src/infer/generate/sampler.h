#pragma once
// Chooses the next token from a language model's scores.
//
//   scores -> penalties and bias -> / temperature -> the k best -> the fewest that hold probability p -> those not
//   below min_p times the best -> one of the rest at random
//
// Equal settings, seed and scores give equal tokens on every machine. Temperature 0 takes the best score, the lower id
// of equals, and draws nothing.

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct SamplingOptions {
    double temperature = 1;  // 0: greedy
    int top_k = 0;           // 0: all
    double top_p = 1;        // 1: all
    double min_p = 0;        // share of the best token's probability; 0: all
    double repetition_penalty =
        1;  // of tokens seen in prompt or answer: score / it above zero, x it below (Keskar, 2019)
    double presence_penalty = 0;                // taken once from the score of a token that stands in the answer
    double frequency_penalty = 0;               // taken as often as it stands there
    std::map<std::int32_t, double> logit_bias;  // added to scores
    std::uint64_t seed = 0;
};

// invalid_argument naming the field that is out of its range.
Result<void> check(const SamplingOptions& options);

class Sampler {
public:
    explicit Sampler(SamplingOptions options);  // options that passed check()

    // Tokens of the prompt, which only the repetition penalty looks at.
    void see(std::span<const std::int32_t> prompt);

    // The next token, which counts as seen from now on. `scores` [vocabulary] stay as they are. Scores that are not
    // finite are never chosen.
    std::int32_t choose(std::span<const float> scores);

    // The two halves of choose(), for who may want another token than the first one picked.
    std::int32_t pick(std::span<const float> scores);
    void take(std::int32_t id);

private:
    struct Candidate {
        std::int32_t id;
        double score;  // later its weight
    };

    struct Seen {
        bool anywhere = false;
        int in_answer = 0;
    };

    static bool before(const Candidate& a, const Candidate& b);  // the better first, the lower id of equals
    double adjusted(std::int32_t id, double score, const Seen& seen) const;
    bool changes_nothing() const;  // are the scores taken as they are?
    void keep_best();
    void keep_probable();
    std::int32_t draw();

    SamplingOptions options_;
    SeededRandom random_;
    std::unordered_map<std::int32_t, Seen> seen_;
    std::vector<Candidate> candidates_;
};

}  // namespace rootstock
