#include "learn/trainer.h"

#include <cmath>

#include "learn/objective/classification.h"
#include "learn/optim/schedule.h"
#include "learn/publish.h"

namespace rootstock {

// ---- The loop ------------------------------------------------------------------------------------------------------

Result<void> Trainer::run() {
    say_started();
    while (progress_.epoch < settings().epochs && !progress_.stopped_early && !progress_.finished) {
        ROOTSTOCK_CHECKED(train_epoch());
        ROOTSTOCK_CHECKED(evaluate());
        ROOTSTOCK_CHECKED(checkpoint());
        ROOTSTOCK_CHECKED(pause_if_asked());
    }
    return finish();
}

Result<void> Trainer::train_epoch() {
    auto plan = plan_batches(job_.train.size(), static_cast<std::size_t>(settings().batch_examples), settings().seed,
                             static_cast<std::uint64_t>(progress_.epoch));
    while (progress_.batch < static_cast<std::int64_t>(plan.size())) {
        std::vector<std::size_t> chosen;
        for (auto place : plan[static_cast<std::size_t>(progress_.batch)]) chosen.push_back(job_.train[place]);

        auto before = monotonic_seconds();
        ROOTSTOCK_TRY(loss, train_step(chosen));
        progress_.train_seconds += monotonic_seconds() - before;
        progress_.examples += static_cast<std::int64_t>(chosen.size());
        ++progress_.step;
        ++progress_.batch;

        say_step(loss);
        if (monotonic_seconds() - saved_at_ > settings().checkpoint_seconds) ROOTSTOCK_CHECKED(checkpoint());
        ROOTSTOCK_CHECKED(pause_if_asked());
    }
    ++progress_.epoch;
    progress_.batch = 0;
    return {};
}

Result<double> Trainer::train_step(const std::vector<std::size_t>& chosen) {
    auto& parameters = classifier_->parameters();
    ROOTSTOCK_TRY(batch, job_.stage(*classifier_, chosen));
    auto labels = torch::tensor(job_.labels(chosen), torch::kInt64).to(parameters.values().device());

    auto logits = classifier_->logits(batch, dropout());
    auto loss = classification_loss(logits, labels, settings().label_smoothing);
    loss.backward();
    auto norm = gradient_norm(parameters);
    if (!std::isfinite(norm))
        return fail(ErrorCode::invalid_argument,
                    "the gradient is not finite at step " + std::to_string(progress_.step + 1) +
                        ": lower train.learning_rate, or look for broken rows in train.jsonl",
                    "learning_rate");
    optimiser_.step(rates(), clip_scale(norm, settings().clip_norm));  // and clears the gradients
    return loss.item<double>();
}

Result<void> Trainer::evaluate() {
    if (job_.held_out.empty()) return {};
    ROOTSTOCK_TRY(score, evaluate_classifier(*classifier_, job_, job_.held_out));
    bool best = !progress_.has_best || score.better_than(progress_.best);
    // Patience counts accuracy alone: a loss can creep down for ever after the last row is right.
    bool gained = !progress_.has_best || score.accuracy > progress_.best.accuracy;
    if (best) {
        progress_.has_best = true;
        progress_.best = score;
        progress_.best_epoch = progress_.epoch;
        best_values_.copy_(classifier_->parameters().values());
    }
    progress_.without_better = gained ? 0 : progress_.without_better + 1;
    progress_.stopped_early = progress_.without_better >= settings().patience && progress_.epoch < settings().epochs;
    say_evaluation(score, best);
    return {};
}

Result<void> Trainer::finish() {
    if (progress_.has_best) classifier_->parameters().values().copy_(best_values_);
    ROOTSTOCK_CHECKED(publish_adapter(job_, *classifier_, progress_));
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
    return static_cast<std::int64_t>((job_.train.size() + batch - 1) / batch);
}

Rates Trainer::rates() const {
    auto share = linear_schedule(progress_.step, steps_in_all(), settings().warmup);
    auto head = settings().head_learning_rate > 0 ? settings().head_learning_rate : settings().learning_rate;
    return {share * settings().learning_rate, share * head};
}

Dropout Trainer::dropout() const {
    return {job_.spec.lora.dropout, settings().seed, static_cast<std::uint64_t>(progress_.step)};
}

// ---- Beginning, pausing, going on
// ---------------------------------------------------------------------------------------

Result<std::unique_ptr<Trainer>> Trainer::create(JobData job, EventLog& events, const std::atomic<bool>& stop) {
    auto placement = choose_placement(job.model.spec, job.spec.train.bf16);
    ROOTSTOCK_TRY(classifier,
                  SequenceClassifier::create(job.model, job.spec.lora, static_cast<int>(job.spec.labels.size()),
                                             job.spec.train.seed, placement));
    job.model.weights.release_pages();
    ROOTSTOCK_TRY(saved, read_checkpoint(job.folder, job.digest, classifier->parameters().size()));
    ROOTSTOCK_TRY(board, TensorboardFile::create(job.folder / "tensorboard", system_clock()));
    std::unique_ptr<Trainer> trainer(
        new Trainer(std::move(job), std::move(classifier), std::move(board), events, stop));
    if (saved) trainer->resume(std::move(*saved));
    return trainer;
}

Trainer::Trainer(JobData job, std::unique_ptr<SequenceClassifier> classifier, TensorboardFile board, EventLog& events,
                 const std::atomic<bool>& stop)
    : job_(std::move(job)),
      classifier_(std::move(classifier)),
      optimiser_(classifier_->parameters(), {.weight_decay = job_.spec.train.weight_decay}),
      best_values_(classifier_->parameters().values().clone()),
      board_(std::move(board)),
      events_(events),
      stop_(stop),
      started_(monotonic_seconds()),
      saved_at_(started_) {
    progress_.job_digest = job_.digest;
}

void Trainer::resume(Checkpoint checkpoint) {
    progress_ = checkpoint.progress;
    classifier_->parameters().values().copy_(checkpoint.values);
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
        write_checkpoint(job_.folder, {progress, classifier_->parameters().values(), optimiser_.first_moment(),
                                       optimiser_.second_moment(), best_values_}));
    saved_at_ = monotonic_seconds();
    emit("checkpoint", {{"step", progress_.step}});
    return {};
}

Result<void> Trainer::pause_if_asked() {
    if (!stop_ && !unheard_) return {};
    ROOTSTOCK_CHECKED(checkpoint());
    return fail(ErrorCode::cancelled,
                "stopped after step " + std::to_string(progress_.step) + "; start again to go on");
}

}  // namespace rootstock
