#include "learn/trainer.h"

#include <cmath>
#include <filesystem>

#include "learn/optim/schedule.h"

namespace rootstock {

// ---- The loop ------------------------------------------------------------------------------------------------------

Result<void> Trainer::run() {
    say_started();
    while (progress_.epoch < settings().epochs && !progress_.stopped_early && !progress_.finished) {
        ROOTSTOCK_CHECKED(train_epoch());
        ROOTSTOCK_TRY(score, evaluate());
        say_epoch(score);
        ROOTSTOCK_CHECKED(checkpoint());
        ROOTSTOCK_CHECKED(pause_if_asked());
    }
    return finish();
}

Result<void> Trainer::train_epoch() {
    auto plan = plan_batches(learner_->training_rows(), static_cast<std::size_t>(settings().batch_examples),
                             settings().seed, static_cast<std::uint64_t>(progress_.epoch));
    if (progress_.batch == 0) progress_.lesson = {};
    while (progress_.batch < static_cast<std::int64_t>(plan.size())) {
        const auto& rows = plan[static_cast<std::size_t>(progress_.batch)];

        auto before = monotonic_seconds();
        ROOTSTOCK_TRY(lesson, train_step(rows));
        progress_.train_seconds += monotonic_seconds() - before;
        progress_.examples += static_cast<std::int64_t>(rows.size());
        progress_.trained_tokens += lesson.tokens;
        progress_.lesson.add(lesson);
        ++progress_.step;
        ++progress_.batch;

        say_step(lesson);
        if (monotonic_seconds() - saved_at_ > settings().checkpoint_seconds) ROOTSTOCK_CHECKED(checkpoint());
        ROOTSTOCK_CHECKED(pause_if_asked());
    }
    ++progress_.epoch;
    progress_.batch = 0;
    return {};
}

Result<Lesson> Trainer::train_step(const std::vector<std::size_t>& rows) {
    ROOTSTOCK_TRY(lesson, learner_->learn(rows, dropout()));
    auto norm = gradient_norm(learner_->parameters());
    if (!std::isfinite(norm))
        return fail(ErrorCode::invalid_argument,
                    "the gradient is not finite at step " + std::to_string(progress_.step + 1) +
                        ": lower train.learning_rate, or look for broken rows in train.jsonl",
                    "learning_rate");
    optimiser_.step(rates(), clip_scale(norm, settings().clip_norm));  // and clears the gradients
    return lesson;
}

Result<std::optional<Score>> Trainer::evaluate() {
    if (learner_->held_out_rows() == 0) return std::nullopt;
    ROOTSTOCK_TRY(score, learner_->evaluate());
    bool best = !progress_.has_best || learner_->better(score, progress_.best);
    bool gained = !progress_.has_best || learner_->gained(score, progress_.best);
    if (best) {
        progress_.has_best = true;
        progress_.best = score;
        progress_.best_epoch = progress_.epoch;
        best_values_.copy_(learner_->parameters().values());
    }
    progress_.without_better = gained ? 0 : progress_.without_better + 1;
    progress_.stopped_early = progress_.without_better >= settings().patience && progress_.epoch < settings().epochs;
    say_evaluation(score, best);
    return score;
}

Result<void> Trainer::finish() {
    if (progress_.has_best) learner_->parameters().values().copy_(best_values_);
    // A folder that a killed run of the same job left complete holds the same numbers.
    if (!std::filesystem::exists(job().folder / "adapter")) ROOTSTOCK_CHECKED(learner_->publish(progress_));
    if (!progress_.finished) {
        progress_.finished = true;
        ROOTSTOCK_CHECKED(checkpoint());
    }
    say_done();
    return {};
}

// ---- Rates and randomness: functions of the step, so that a resumed run meets the same ones
// ----------------------------

std::int64_t Trainer::steps_per_epoch() const {
    auto batch = static_cast<std::size_t>(settings().batch_examples);
    return static_cast<std::int64_t>((learner_->training_rows() + batch - 1) / batch);
}

Rates Trainer::rates() const {
    auto share = linear_schedule(progress_.step, steps_in_all(), settings().warmup);
    auto head = settings().head_learning_rate > 0 ? settings().head_learning_rate : settings().learning_rate;
    return {share * settings().learning_rate, share * head};
}

Dropout Trainer::dropout() const {
    return {job().spec.lora.dropout, settings().seed, static_cast<std::uint64_t>(progress_.step)};
}

// ---- Beginning, pausing, going on
// ---------------------------------------------------------------------------------------

Result<std::unique_ptr<Trainer>> Trainer::create(std::unique_ptr<Learner> learner, EventLog& events,
                                                 const std::atomic<bool>& stop) {
    const auto& job = learner->job();
    ROOTSTOCK_TRY(saved, read_checkpoint(job.folder, job.digest, learner->parameters().size()));
    ROOTSTOCK_TRY(board, TensorboardFile::create(job.folder / "tensorboard", system_clock()));
    std::unique_ptr<Trainer> trainer(new Trainer(std::move(learner), std::move(board), events, stop));
    if (saved) trainer->resume(std::move(*saved));
    return trainer;
}

Trainer::Trainer(std::unique_ptr<Learner> learner, TensorboardFile board, EventLog& events,
                 const std::atomic<bool>& stop)
    : learner_(std::move(learner)),
      optimiser_(learner_->parameters(), {.weight_decay = settings().weight_decay}),
      best_values_(learner_->parameters().values().clone()),
      board_(std::move(board)),
      events_(events),
      stop_(stop),
      started_(monotonic_seconds()),
      saved_at_(started_) {
    progress_.job_digest = job().digest;
}

void Trainer::resume(Checkpoint checkpoint) {
    progress_ = checkpoint.progress;
    learner_->parameters().values().copy_(checkpoint.values);
    best_values_.copy_(checkpoint.best_values);
    optimiser_.first_moment().copy_(checkpoint.first_moment);
    optimiser_.second_moment().copy_(checkpoint.second_moment);
    optimiser_.set_steps(progress_.step);
    resumed_from_ = progress_.step;
    start_examples_ = progress_.examples;
    start_seconds_ = progress_.train_seconds;
}

Result<void> Trainer::checkpoint() {
    auto progress = progress_;
    progress.seconds = seconds_so_far();
    ROOTSTOCK_CHECKED(
        write_checkpoint(job().folder, {progress, learner_->parameters().values(), optimiser_.first_moment(),
                                        optimiser_.second_moment(), best_values_}));
    saved_at_ = monotonic_seconds();
    emit("checkpoint", {{"step", progress_.step}, {"epoch", progress_.epoch}});
    return {};
}

Result<void> Trainer::pause_if_asked() {
    if (!stop_ && !unheard_) return {};
    ROOTSTOCK_CHECKED(checkpoint());
    return fail(ErrorCode::cancelled,
                "stopped after step " + std::to_string(progress_.step) + "; start again to go on");
}

}  // namespace rootstock
