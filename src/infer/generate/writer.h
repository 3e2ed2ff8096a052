#pragma once
// Continuous batching: texts of many callers, tenants and adapters are written on by one inference thread, one step at
// a time. A step takes one token of every running text and part of the prompts that are being read; new requests join
// and ended ones leave between two steps.
//
//   submit -> waiting, fair by tenant -> reading the prompt in pieces -> writing, one token a step -> done
//                 ^------------------- preempted when blocks run out (read again later) <--'
//
// Fair: tokens are charged to their tenant, divided by its weight, and who was charged least comes first (Sheng et al.,
// 2024); a tenant that has more texts running than its share gives one back when another one waits with fewer. Full
// blocks of a prompt are kept after use for the same tenant with the same adapter, whose next prompt that begins with
// the same tokens starts behind them. What a request gets does not depend on who else is there (up to rounding).

#include <functional>
#include <memory>

#include "infer/generate/write_request.h"

namespace rootstock {

// What one step did.
struct StepFacts {
    std::size_t rows = 0;           // texts that took part
    std::size_t prompt_tokens = 0;  // read (again, after a preemption)
    std::size_t new_tokens = 0;     // written
    std::size_t adapters = 0;       // different ones, the base alone counted too
    std::int64_t micros = 0;        // wall time: the machine's, all its cores
};

struct WriterSettings {
    std::size_t cache_bytes = std::size_t{512} << 20;   // keys and values of all texts
    std::size_t prefix_bytes = std::size_t{256} << 20;  // of these at most for prompts kept after use; 0: none
    int block_tokens = 64;                              // what is kept and given back together; a multiple of 16
    int rows_max = 64;                                  // texts written on at once
    int step_tokens_max = 512;                          // of one step
    int chunk_tokens_max = 128;  // prompt tokens of a step in which texts are written on: bounds how long they wait
    std::size_t requests_waiting_max = 1024;
    std::size_t tokens_waiting_max = 1 << 20;       // prompt tokens of waiting requests
    double tenant_share_max = 0.5;                  // of either, for one tenant: nobody fills the queue alone
    std::function<void(const StepFacts&)> on_step;  // called on the inference thread
};

struct WriterLoad {
    std::size_t requests_waiting = 0;  // preempted ones too
    std::size_t tokens_waiting = 0;    // their prompts
    std::size_t rows_running = 0;      // texts that are read or written
    int blocks = 0, blocks_free = 0;   // of the cache; free counts prompts that are only kept
    int blocks_kept = 0;               // hold prompts for later
    std::int64_t prompt_tokens = 0, cached_tokens = 0, new_tokens = 0;  // since the start
    std::int64_t preemptions = 0;
    std::int64_t step_micros = 0;  // new_tokens / step_micros: tokens per microsecond of work
};

class Writer {
public:
    // unsupported: the model does not write on. overloaded: no memory for the cache.
    static Result<std::unique_ptr<Writer>> make(std::shared_ptr<const NativeModel> model, WriterSettings settings = {});
    ~Writer();  // ends what runs (Finish::cancelled) and refuses what waits (unavailable), then ends the thread
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // `done` is called exactly once: on the inference thread, or at once on this thread when the request is refused:
    // overloaded (queue_full), rate_limited (tenant_queue_full), too_long (the prompt, by how much), invalid_argument
    // (no prompt, an id outside the vocabulary, choices, logprobs, options, an adapter of another model). A request
    // that was begun always gets an answer with what was written and used, also when it was cancelled or late; one that
    // was not gets `cancelled` or `overloaded` (queue_timeout). `on_token` may be empty. Neither may block nor throw.
    // The ticket is for cancel(); 0: refused.
    WriteTicket submit(WriteRequest request, WriteListener on_token, WriteDone done);

    // It ends within one step. Too late, or 0: nothing happens.
    void cancel(WriteTicket ticket);

    WriterLoad load() const;
    const NativeModel& model() const;
    int prompt_tokens_max() const;  // the longest prompt: of the model's positions, or of the cache

private:
    struct State;
    explicit Writer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
