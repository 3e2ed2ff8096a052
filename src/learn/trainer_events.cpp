// What the trainer says: events for programs, scalars for TensorBoard.

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "learn/trainer.h"

namespace rootstock {

namespace {

constexpr std::int64_t steps_between_events = 10;
constexpr std::int64_t step_events_min = 50;  // of a run, as far as it has so many steps

std::int64_t peak_rss_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace

void Trainer::emit(const char* kind, const json::object& fields) {
    if (!events_.emit(kind, fields)) unheard_ = true;
}

double Trainer::examples_per_second() const {
    auto seconds = progress_.train_seconds - start_seconds_;
    return seconds > 0 ? static_cast<double>(progress_.examples - start_examples_) / seconds : 0;
}

void Trainer::say_started() {
    json::object fields{{"examples", learner_->training_rows()},
                        {"validation", learner_->held_out_rows()},
                        {"steps", steps_in_all()},
                        {"trainable", learner_->parameters().size()},
                        {"measure", learner_->measure()},
                        {"seed", settings().seed},
                        {"resumed_from", resumed_from_}};
    for (const auto& fact : learner_->facts()) fields.insert(fact);
    emit("started", fields);
}

void Trainer::say_step(const Lesson& lesson) {
    unsaid_.add(lesson);
    auto apart = std::clamp<std::int64_t>(steps_in_all() / step_events_min, 1, steps_between_events);
    if (progress_.step % apart != 0 && progress_.step != steps_in_all()) return;
    auto said = std::exchange(unsaid_, {});
    auto left = static_cast<double>(steps_in_all() - progress_.step) * static_cast<double>(settings().batch_examples);
    auto rate = examples_per_second();
    emit("step", {{"step", progress_.step},
                  {"steps", steps_in_all()},
                  {"epoch", progress_.epoch + 1},
                  {"loss", said.loss},
                  {learner_->measure(), said.quality},
                  {"learning_rate", rates().low_rank},
                  {"trained_tokens", progress_.trained_tokens},
                  {"examples_per_s", rate},
                  {"seconds_left", rate > 0 ? left / rate : 0}});
    board_.scalar("train/loss", progress_.step, said.loss);
    board_.scalar(std::string("train/") + learner_->measure(), progress_.step, said.quality);
    board_.scalar("train/learning_rate", progress_.step, rates().low_rank);
    board_.scalar("train/examples_per_s", progress_.step, rate);
}

void Trainer::say_evaluation(const Score& score, bool best) {
    emit("evaluation", {{"step", progress_.step},
                        {"epoch", progress_.epoch},
                        {"loss", score.loss},
                        {learner_->measure(), score.quality},
                        {"best", best}});
    board_.scalar("validation/loss", progress_.step, score.loss);
    board_.scalar(std::string("validation/") + learner_->measure(), progress_.step, score.quality);
    board_.flush();
}

void Trainer::say_epoch(const std::optional<Score>& score) {
    const std::string measure = learner_->measure();
    json::object fields{{"step", progress_.step},
                        {"epoch", progress_.epoch},
                        {"train_loss", progress_.lesson.loss},
                        {"train_" + measure, progress_.lesson.quality},
                        {"trained_tokens", progress_.trained_tokens}};
    if (score) {
        fields["valid_loss"] = score->loss;
        fields["valid_" + measure] = score->quality;
    }
    emit("epoch", fields);
}

void Trainer::say_done() {
    board_.flush();
    auto seconds = progress_.train_seconds;
    auto best = [&](double value) { return progress_.has_best ? json::value(value) : json::value(nullptr); };
    emit("done", {{"step", progress_.step},
                  {"epoch", progress_.epoch},
                  {"epochs", settings().epochs},
                  {std::string("best_") + learner_->measure(), best(progress_.best.quality)},
                  {"best_loss", best(progress_.best.loss)},
                  {"trained_tokens", progress_.trained_tokens},
                  {"seconds", seconds_so_far()},
                  {"train_seconds", seconds},
                  {"examples_per_s", seconds > 0 ? static_cast<double>(progress_.examples) / seconds : 0},
                  {"peak_rss_bytes", peak_rss_bytes()},
                  {"stopped_early", progress_.stopped_early}});
}

}  // namespace rootstock
