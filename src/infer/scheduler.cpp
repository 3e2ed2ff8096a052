#include "infer/scheduler.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "infer/table/table_model.h"

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

Result<void> check_types(const InferRequest& request, const TransformerSpec& spec) {
    if (request.types.empty()) return {};
    bool fits = request.types.size() == request.rows.size();
    for (std::size_t r = 0; fits && r < request.rows.size(); ++r) {
        fits = request.types[r].size() == request.rows[r].size();
        for (auto type : request.types[r]) fits = fits && type >= 0 && type < std::max(1, spec.types);
    }
    if (!fits) return fail(ErrorCode::invalid_argument, "the token types do not fit the tokens or the model", "input");
    return {};
}

Result<void> check_pictures(const InferRequest& request, const TransformerSpec& spec) {
    const auto& made = spec.patches;
    const auto numbers = static_cast<std::size_t>(made.channels) * static_cast<std::size_t>(made.image * made.image);
    for (const auto& picture : request.pictures)
        if (picture.size() != numbers)
            return fail(ErrorCode::invalid_argument,
                        "a picture has " + std::to_string(picture.size()) + " numbers; this model takes " +
                            std::to_string(numbers),
                        "input");
    return {};
}

Result<void> check_rows(const InferRequest& request, const TransformerSpec& spec) {
    const bool sees = spec.inputs == Inputs::patches;
    if (request.count() == 0) return fail(ErrorCode::invalid_argument, "there is no input", "input");
    if (sees ? !request.rows.empty() : !request.pictures.empty())
        return fail(
            ErrorCode::invalid_argument,
            sees ? "this model sees pictures and reads no texts" : "this model reads texts and sees no pictures",
            "input");
    if (sees) return check_pictures(request, spec);
    for (const auto& ids : request.rows) ROOTSTOCK_CHECKED(check_row(ids, spec));
    return check_types(request, spec);
}

Result<void> check_table(const InferRequest& request) {
    if (request.cells.rows == 0) return fail(ErrorCode::invalid_argument, "there is no row", "rows");
    if (request.table->fits(request.cells) && request.rows.empty() && request.pictures.empty()) return {};
    return fail(ErrorCode::invalid_argument, "the rows were not encoded for this table model", "rows");
}

// One faulty request must not spoil the batch it would ride in, so it is found before.
Result<void> check_request(const InferRequest& request, const NativeModel* model) {
    if (request.table) return check_table(request);
    ROOTSTOCK_CHECK(model && request.cells.rows == 0, "rows without their model");
    const auto& spec = model->spec();
    if (request.kind == InferKind::logits && (!request.adapter || request.adapter->classes() == 0))
        return fail(ErrorCode::invalid_argument, "this model has no classification head", "model");
    const auto head = spec.head.kind;
    if (request.kind == InferKind::head &&
        (head == HeadKind::none || head == HeadKind::masked_lm || head == HeadKind::causal_lm))
        return fail(ErrorCode::invalid_argument, "this model has no head of its own for this task", "model");
    return check_rows(request, spec);
}

}  // namespace

struct Scheduler::State {
    State(std::shared_ptr<const NativeModel> model, SchedulerSettings settings)
        : model(model), settings(std::move(settings)), runner(model), queue(this->settings.queue) {}

    void loop();
    void run_batch(const std::vector<InferRow>& rows);
    bool claim(InferJob& job);
    void note_pace(const BatchFacts& facts);

    std::shared_ptr<const NativeModel> model;
    SchedulerSettings settings;
    BatchRunner runner;  // the inference thread's own

    mutable std::mutex mutex;
    std::condition_variable work_came;
    FairQueue queue;
    InferTicket last_ticket = 0;
    std::size_t rows_running = 0;
    double tokens_per_second = 0;  // of the last batches
    bool stopping = false;
    std::thread thread;
};

void Scheduler::State::loop() {
    runner.warm();
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
    if (facts) note_pace(*facts);
    if (facts && settings.on_batch) settings.on_batch(*facts);
    if (!facts) spdlog::error("inference: {}", facts.error().message);
    for (const auto& row : rows) {
        InferJob& job = *row.job;
        if (facts && job.rows_finished == job.request.count()) {
            if (auto done = std::exchange(job.done, nullptr)) done(std::move(job.answer));
        } else if (!facts && claim(job)) {
            if (auto done = std::exchange(job.done, nullptr)) done(fail(facts.error()));
        }
    }
}

// What waits was shaped into batches as these were, so their pace tells when it will have run.
void Scheduler::State::note_pace(const BatchFacts& facts) {
    constexpr double kNew = 0.1;
    const double pace =
        static_cast<double>(facts.tokens) * 1e6 / static_cast<double>(std::max<std::int64_t>(1, facts.micros));
    std::lock_guard lock(mutex);
    tokens_per_second = tokens_per_second == 0 ? pace : (1 - kNew) * tokens_per_second + kNew * pace;
}

// A failed job's waiting rows leave with it. False when cancel() took them before and has spoken already.
bool Scheduler::State::claim(InferJob& job) {
    std::lock_guard lock(mutex);
    return queue.remove(job.ticket) || job.rows_taken == job.request.count();
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
    if (auto checked = check_request(request, state_->model.get()); !checked) {
        done(fail(checked.error()));
        return 0;
    }
    auto job = std::make_shared<InferJob>();
    job->answer.rows.resize(request.count());
    if (!request.pictures.empty()) request.row_tokens = picture_tokens(state_->model->spec());
    if (request.table) request.row_tokens = request.table->row_tokens();
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
    const auto tokens = state_->queue.tokens();
    const double pace = state_->tokens_per_second;
    return {state_->queue.rows(), tokens, state_->rows_running, pace > 0 ? static_cast<double>(tokens) / pace : 0};
}

}  // namespace rootstock
