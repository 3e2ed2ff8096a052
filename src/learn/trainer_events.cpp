// What the trainer says: events for programs, scalars for TensorBoard.

#include <sys/resource.h>

#include "learn/trainer.h"

namespace rootstock {

namespace {

constexpr std::int64_t steps_between_events = 10;

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
    emit("started", {{"examples", job_.train.size()},
                     {"validation", job_.held_out.size()},
                     {"tokens", job_.tokens()},
                     {"truncated", job_.truncated},
                     {"steps", steps_in_all()},
                     {"parameters", job_.model.weights.parameters()},
                     {"trainable", classifier_->parameters().size()},
                     {"labels", job_.spec.labels.size()},
                     {"seed", settings().seed},
                     {"device", classifier_->transformer().placement().description()},
                     {"resumed_from", resumed_from_}});
}

void Trainer::say_step(double loss) {
    loss_sum_ += loss;
    ++loss_count_;
    if (progress_.step % steps_between_events != 0 && progress_.step != steps_in_all()) return;
    auto mean = loss_sum_ / static_cast<double>(loss_count_);
    loss_sum_ = 0;
    loss_count_ = 0;
    auto left = static_cast<double>(steps_in_all() - progress_.step) * static_cast<double>(settings().batch_examples);
    auto rate = examples_per_second();
    emit("step", {{"step", progress_.step},
                  {"steps", steps_in_all()},
                  {"epoch", progress_.epoch + 1},
                  {"loss", mean},
                  {"learning_rate", rates().low_rank},
                  {"examples_per_s", rate},
                  {"seconds_left", rate > 0 ? left / rate : 0}});
    board_.scalar("train/loss", progress_.step, mean);
    board_.scalar("train/learning_rate", progress_.step, rates().low_rank);
    board_.scalar("train/examples_per_s", progress_.step, rate);
}

void Trainer::say_evaluation(const Score& score, bool best) {
    emit("evaluation", {{"step", progress_.step},
                        {"epoch", progress_.epoch},
                        {"loss", score.loss},
                        {"accuracy", score.accuracy},
                        {"best", best}});
    board_.scalar("validation/loss", progress_.step, score.loss);
    board_.scalar("validation/accuracy", progress_.step, score.accuracy);
    board_.flush();
}

void Trainer::say_done() {
    board_.flush();
    auto seconds = progress_.train_seconds;
    emit("done", {{"step", progress_.step},
                  {"epoch", progress_.epoch},
                  {"best_accuracy", progress_.has_best ? json::value(progress_.best.accuracy) : json::value(nullptr)},
                  {"seconds", seconds_so_far()},
                  {"train_seconds", seconds},
                  {"examples_per_s", seconds > 0 ? static_cast<double>(progress_.examples) / seconds : 0},
                  {"peak_rss_bytes", peak_rss_bytes()},
                  {"stopped_early", progress_.stopped_early}});
}

}  // namespace rootstock
