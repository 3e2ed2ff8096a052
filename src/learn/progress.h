#pragma once
// How far a run has come, and how good it is: what the loop counts, a checkpoint keeps and events say.

#include <cstdint>
#include <string>

namespace rootstock {

// How good a state is on the held-out rows.
struct Score {
    double loss = 0;
    double quality = 0;  // what the task is measured by, the more the better: Learner::measure() names it
};

// What one step, or the steps of an epoch so far, learned from. Loss and quality are means over `weight`.
struct Lesson {
    double loss = 0;
    double quality = 0;
    double weight = 0;        // rows, or the weights of tokens
    std::int64_t tokens = 0;  // read, those that carry no loss included

    void add(const Lesson& other) {
        auto both = weight + other.weight;
        if (both > 0) {
            loss = (loss * weight + other.loss * other.weight) / both;
            quality = (quality * weight + other.quality * other.weight) / both;
        }
        weight = both;
        tokens += other.tokens;
    }
};

struct TrainingProgress {
    std::string job_digest;
    std::int64_t step = 0;   // optimiser steps taken
    std::int64_t epoch = 0;  // epochs finished
    std::int64_t batch = 0;  // batches taken of the running epoch
    bool has_best = false;
    Score best;
    std::int64_t best_epoch = 0;
    std::int64_t without_better = 0;  // evaluations since the last gain
    bool stopped_early = false;
    bool finished = false;            // the adapter is written
    Lesson lesson;                    // of the running epoch; between two epochs of the last
    std::int64_t examples = 0;        // trained on, repeats counted
    std::int64_t trained_tokens = 0;  // likewise
    double train_seconds = 0;         // inside training steps
    double seconds = 0;               // of all starts together
};

}  // namespace rootstock
