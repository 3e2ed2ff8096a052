#pragma once
// The training loop and what it keeps. trainer.cpp reads on one page; everything it calls is named for what it does.

#include <torch/torch.h>

#include <atomic>
#include <memory>
#include <optional>

#include "learn/checkpoint/checkpoint.h"
#include "learn/events.h"
#include "learn/learner.h"
#include "learn/optim/adamw.h"
#include "learn/tensorboard/event_file.h"

namespace rootstock {

class Trainer {
public:
    // Resumes from the job's checkpoint when there is one. `stop` asks for a checkpoint and an early return.
    static Result<std::unique_ptr<Trainer>> create(std::unique_ptr<Learner> learner, EventLog& events,
                                                   const std::atomic<bool>& stop);

    // The loop. cancelled: `stop` was set, or nobody reads the events any more; a checkpoint is written.
    Result<void> run();

private:
    Trainer(std::unique_ptr<Learner> learner, TensorboardFile board, EventLog& events, const std::atomic<bool>& stop);

    Result<void> train_epoch();
    Result<Lesson> train_step(const std::vector<std::size_t>& rows);
    Result<std::optional<Score>> evaluate();
    Result<void> finish();
    Result<void> checkpoint();
    Result<void> pause_if_asked();
    void resume(Checkpoint checkpoint);

    Rates rates() const;
    Dropout dropout() const;
    std::int64_t steps_per_epoch() const;
    std::int64_t steps_in_all() const { return steps_per_epoch() * settings().epochs; }
    const Job& job() const { return learner_->job(); }
    const TrainSettings& settings() const { return job().spec.train; }

    void say_started();
    void say_step(const Lesson& lesson);
    void say_evaluation(const Score& score, bool best);
    void say_epoch(const std::optional<Score>& score);
    void say_done();
    void emit(const char* kind, const json::object& fields);
    double examples_per_second() const;
    double seconds_so_far() const { return progress_.seconds + monotonic_seconds() - started_; }

    std::unique_ptr<Learner> learner_;
    AdamW optimiser_;
    torch::Tensor best_values_;
    TrainingProgress progress_;
    TensorboardFile board_;
    EventLog& events_;
    const std::atomic<bool>& stop_;
    bool unheard_ = false;  // standard output is closed
    std::int64_t resumed_from_ = 0;
    double started_, saved_at_;
    Lesson unsaid_;                    // since the last step event
    std::int64_t start_examples_ = 0;  // of this start, for the rate that people see
    double start_seconds_ = 0;
};

}  // namespace rootstock
