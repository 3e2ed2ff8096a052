#pragma once
// The training loop and what it keeps. trainer.cpp reads on one page; everything it calls is named for what it does.

#include <torch/torch.h>

#include <atomic>
#include <memory>

#include "autograd/autograd.h"
#include "learn/checkpoint/checkpoint.h"
#include "learn/events.h"
#include "learn/job_data.h"
#include "learn/optim/adamw.h"
#include "learn/tensorboard/event_file.h"

namespace rootstock {

class Trainer {
public:
    // Resumes from the job's checkpoint when there is one. `stop` asks for a checkpoint and an early return.
    static Result<std::unique_ptr<Trainer>> create(JobData job, EventLog& events, const std::atomic<bool>& stop);

    // The loop. cancelled: `stop` was set, or nobody reads the events any more; a checkpoint is written.
    Result<void> run();

private:
    Trainer(JobData job, std::unique_ptr<SequenceClassifier> classifier, TensorboardFile board, EventLog& events,
            const std::atomic<bool>& stop);

    Result<void> train_epoch();
    Result<double> train_step(const std::vector<std::size_t>& chosen);
    Result<void> evaluate();
    Result<void> finish();
    Result<void> checkpoint();
    Result<void> pause_if_asked();
    void resume(Checkpoint checkpoint);

    Rates rates() const;
    Dropout dropout() const;
    std::int64_t steps_per_epoch() const;
    std::int64_t steps_in_all() const { return steps_per_epoch() * settings().epochs; }
    const TrainSettings& settings() const { return job_.spec.train; }

    void say_started();
    void say_step(double loss);
    void say_evaluation(const Score& score, bool best);
    void say_done();
    void emit(const char* kind, const json::object& fields);
    double examples_per_second() const;
    double seconds_so_far() const { return progress_.seconds + monotonic_seconds() - started_; }

    JobData job_;
    std::unique_ptr<SequenceClassifier> classifier_;
    AdamW optimiser_;
    torch::Tensor best_values_;
    TrainingProgress progress_;
    TensorboardFile board_;
    EventLog& events_;
    const std::atomic<bool>& stop_;
    bool unheard_ = false;  // standard output is closed
    std::int64_t resumed_from_ = 0;
    double started_, saved_at_;
    double loss_sum_ = 0;  // since the last step event
    std::int64_t loss_count_ = 0;
    std::int64_t start_examples_ = 0;  // of this start, for the rate that people see
    double start_seconds_ = 0;
};

}  // namespace rootstock
