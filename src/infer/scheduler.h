#pragma once
// One base model's inference thread: takes batches from the fair queue and runs them. A request that finds the
// machine idle runs at once; batches form by themselves while a run is going on, never by waiting.

#include <functional>
#include <memory>

#include "infer/batch/batch_runner.h"
#include "infer/queue/fair_queue.h"
#include "infer/queue/request.h"

namespace rootstock {

struct SchedulerSettings {
    QueueLimits queue;
    std::size_t batch_tokens_max = 1024;  // one run; bounds how long a newcomer waits for the run before his
    std::size_t batch_rows_max = 256;
    std::function<void(const BatchFacts&)> on_batch;  // called on the inference thread after each run
};

struct SchedulerLoad {
    std::size_t rows_waiting = 0;
    std::size_t tokens_waiting = 0;
    std::size_t rows_running = 0;  // in the present batch
    double seconds_waiting = 0;    // until what waits has run, at the pace of the last batches; 0 while there is none
};

class Scheduler {
public:
    // Without a model: for rows of tables, each of which brings its own.
    Scheduler(std::shared_ptr<const NativeModel> model, SchedulerSettings settings = {});
    ~Scheduler();  // runs what is queued, then ends the thread
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // `done` is called exactly once: on the inference thread with the answer or the reason there is none
    // (overloaded: the deadline passed; cancelled; internal), or at once on this thread when the request is refused:
    // overloaded (queue full), rate_limited (this tenant's share of it full), too_large, invalid_argument (no rows, an
    // empty row, an id outside the vocabulary, an adapter without head), too_long. It must neither block nor throw:
    // hand over. The ticket is for cancel().
    InferTicket submit(InferRequest request, InferDone done);

    // Rows that still wait are dropped and `done` is told `cancelled`, on this thread. Too late: nothing happens.
    void cancel(InferTicket ticket);

    SchedulerLoad load() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
