#include "infer/scheduler.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace rootstock {
namespace {

Result<void> check_row(const std::vector<std::int32_t>& ids, const TransformerSpec& spec) {
    if (ids.empty()) return fail(ErrorCode::invalid_argument, "an input has no tokens", "input");
    if (ids.size() > static_cast<std::size_t>(spec.positions_max))
        return fail(ErrorCode::too_long,
                    "an input has " + std::to_string(ids.size()) + " tokens; this model takes at most " +
                        std::to_string(spec.positions_max),
                    "input");
    for (auto id : ids)
        if (id < 0 || id >= spec.vocabulary)
            return fail(ErrorCode::invalid_argument,
                        "token " + std::to_string(id) + " is not in the model's vocabulary of " +
                            std::to_string(spec.vocabulary),
                        "input");
    return {};
}

// One faulty request must not spoil the batch it would ride in, so it is found before.
Result<void> check_request(const InferRequest& request, const TransformerSpec& spec) {
    if (request.rows.empty()) return fail(ErrorCode::invalid_argument, "there is no input", "input");
    if (request.kind == InferKind::logits && (!request.adapter || request.adapter->classes() == 0))
        return fail(ErrorCode::invalid_argument, "this model has no classification head", "model");
    for (const auto& ids : request.rows) ROOTSTOCK_CHECKED(check_row(ids, spec));
    return {};
}

}  // namespace

struct Scheduler::State {
    State(std::shared_ptr<const NativeModel> model, SchedulerSettings settings)
        : model(model), settings(std::move(settings)), runner(model), queue(this->settings.queue) {}

    void loop();
    void run_batch(const std::vector<InferRow>& rows);
    bool claim(InferJob& job);

    std::shared_ptr<const NativeModel> model;
    SchedulerSettings settings;
    BatchRunner runner;  // the inference thread's own

    mutable std::mutex mutex;
    std::condition_variable work_came;
    FairQueue queue;
    InferTicket last_ticket = 0;
    std::size_t rows_running = 0;
    bool stopping = false;
    std::thread thread;
};

void Scheduler::State::loop() {
    runner.executor().warm();
    for (;;) {
        std::vector<InferJobPtr> expired;
        std::vector<InferRow> rows;
        {
            std::unique_lock lock(mutex);
            rows_running = 0;
            work_came.wait(lock, [&] { return stopping || !queue.empty(); });
            if (queue.empty()) return;
            rows = queue.take(settings.batch_tokens_max, settings.batch_rows_max, monotonic_seconds(), expired);
            rows_running = rows.size();
        }
        for (auto& job : expired)
            job->done(fail(ErrorCode::overloaded, "the request waited too long for its turn; come back in a moment", {},
                           "queue_timeout"));
        if (!rows.empty()) run_batch(rows);
    }
}

void Scheduler::State::run_batch(const std::vector<InferRow>& rows) {
    auto facts = runner.run(rows);
    if (facts && settings.on_batch) settings.on_batch(*facts);
    if (!facts) spdlog::error("inference: {}", facts.error().message);
    for (const auto& row : rows) {
        InferJob& job = *row.job;
        if (facts && job.rows_finished == job.request.rows.size()) {
            if (auto done = std::exchange(job.done, nullptr)) done(std::move(job.answer));
        } else if (!facts && claim(job)) {
            if (auto done = std::exchange(job.done, nullptr)) done(fail(facts.error()));
        }
    }
}

// A failed job's waiting rows leave with it. False when cancel() took them before and has spoken already.
bool Scheduler::State::claim(InferJob& job) {
    std::lock_guard lock(mutex);
    return queue.remove(job.ticket) || job.rows_taken == job.request.rows.size();
}

Scheduler::Scheduler(std::shared_ptr<const NativeModel> model, SchedulerSettings settings)
    : state_(std::make_unique<State>(std::move(model), std::move(settings))) {
    state_->thread = std::thread([state = state_.get()] { state->loop(); });
}

Scheduler::~Scheduler() {
    {
        std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->work_came.notify_one();
    state_->thread.join();
}

InferTicket Scheduler::submit(InferRequest request, InferDone done) {
    if (auto checked = check_request(request, state_->model->spec()); !checked) {
        done(fail(checked.error()));
        return 0;
    }
    auto job = std::make_shared<InferJob>();
    job->answer.rows.resize(request.rows.size());
    job->request = std::move(request);
    job->done = std::move(done);
    Result<void> accepted;
    {
        std::lock_guard lock(state_->mutex);
        job->ticket = ++state_->last_ticket;
        accepted = state_->queue.push(job);
    }
    if (!accepted) {
        job->done(fail(accepted.error()));
        return 0;
    }
    state_->work_came.notify_one();
    return job->ticket;
}

void Scheduler::cancel(InferTicket ticket) {
    InferJobPtr job;
    {
        std::lock_guard lock(state_->mutex);
        job = state_->queue.remove(ticket);
    }
    if (job) job->done(fail(ErrorCode::cancelled, "the request was cancelled"));
}

SchedulerLoad Scheduler::load() const {
    std::lock_guard lock(state_->mutex);
    return {state_->queue.rows(), state_->queue.tokens(), state_->rows_running};
}

const NativeModel& Scheduler::model() const { return *state_->model; }

}  // namespace rootstock
