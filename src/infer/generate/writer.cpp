#include "infer/generate/writer.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "infer/generate/write_engine.h"

namespace rootstock {

struct Writer::State {
    State(std::shared_ptr<const NativeModel> native, std::unique_ptr<WriteEngine> made)
        : model(std::move(native)), engine(std::move(made)), facts(engine->load()) {}

    void loop();
    bool has_work() const { return stopping || !inbox.empty() || !cancelled.empty() || !engine->idle(); }

    std::shared_ptr<const NativeModel> model;
    std::unique_ptr<WriteEngine> engine;  // the inference thread's own, but for check() and room()

    mutable std::mutex mutex;
    std::condition_variable work_came;
    std::vector<WriteJobPtr> inbox;
    std::vector<WriteTicket> cancelled;
    WriteTicket last_ticket = 0;
    WriterLoad facts;  // after the last step
    bool stopping = false;
    std::thread thread;
};

void Writer::State::loop() {
    engine->warm();
    for (bool stop = false; !stop;) {
        std::vector<WriteJobPtr> came;
        std::vector<WriteTicket> gone;
        {
            std::unique_lock lock(mutex);
            facts = engine->load();
            work_came.wait(lock, [&] { return has_work(); });
            came.swap(inbox), gone.swap(cancelled);
            stop = stopping;
        }
        for (auto& job : came) engine->accept(std::move(job));
        for (const auto ticket : gone) engine->cancel(ticket);
        stop ? engine->stop() : engine->step(monotonic_seconds());
    }
}

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {
    state_->thread = std::thread([state = state_.get()] { state->loop(); });
}

Result<std::unique_ptr<Writer>> Writer::make(std::shared_ptr<const NativeModel> model, WriterSettings settings) {
    ROOTSTOCK_TRY(engine, WriteEngine::make(model, std::move(settings)));
    auto state = std::make_unique<State>(std::move(model), std::move(engine));
    return std::unique_ptr<Writer>(new Writer(std::move(state)));
}

Writer::~Writer() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->work_came.notify_one();
    state_->thread.join();
}

WriteTicket Writer::submit(WriteRequest request, WriteListener on_token, WriteDone done) {
    auto& engine = *state_->engine;
    auto accepted = engine.check(request);
    if (accepted) accepted = engine.room().enter(request.tenant, request.prompt.size());
    if (!accepted) {
        done(fail(std::move(accepted.error())));
        return 0;
    }
    auto job = std::make_unique<WriteJob>();
    job->request = std::move(request);
    job->listener = std::move(on_token);
    job->done = std::move(done);
    WriteTicket ticket = 0;
    {
        const std::lock_guard lock(state_->mutex);
        ticket = job->ticket = ++state_->last_ticket;
        state_->inbox.push_back(std::move(job));
    }
    state_->work_came.notify_one();
    return ticket;
}

void Writer::cancel(WriteTicket ticket) {
    if (ticket == 0) return;
    {
        const std::lock_guard lock(state_->mutex);
        state_->cancelled.push_back(ticket);
    }
    state_->work_came.notify_one();
}

WriterLoad Writer::load() const {
    const std::lock_guard lock(state_->mutex);
    auto load = state_->facts;
    load.requests_waiting += state_->inbox.size();
    for (const auto& job : state_->inbox) load.tokens_waiting += job->request.prompt.size();
    return load;
}

const NativeModel& Writer::model() const { return *state_->model; }
int Writer::prompt_tokens_max() const { return state_->engine->prompt_tokens_max(); }

}  // namespace rootstock
