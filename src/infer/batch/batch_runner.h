#pragma once
// One batch: rows of many tenants and adapters packed together, run once, and each result put where its row came
// from. The measured time is divided among the requests by tokens, so that the parts add up to the whole exactly.

#include <optional>
#include <vector>

#include "infer/queue/fair_queue.h"
#include "native/native.h"

namespace rootstock {

struct BatchFacts {
    InferKind kind = InferKind::logits;
    std::size_t rows = 0;
    std::size_t tokens = 0;
    std::size_t adapters = 0;  // different ones
    std::int64_t micros = 0;   // wall time of the run: the machine's time, all its cores
};

// Divides `whole` in proportion to `parts`: cumulative rounding, so the result adds up to `whole` and each share is
// within one of its exact value. The parts must not be all zero.
std::vector<std::int64_t> apportion(std::int64_t whole, const std::vector<std::int64_t>& parts);

class BatchRunner {
public:
    // Without a model: for rows of tables alone, which bring theirs.
    explicit BatchRunner(std::shared_ptr<const NativeModel> model) {
        if (model) executor_.emplace(std::move(model));
    }

    // Runs rows that are alike in InferRequest::run and fills their jobs' answers. On error nothing was filled.
    Result<BatchFacts> run(const std::vector<InferRow>& rows);

    void warm() {
        if (executor_) executor_->warm();
    }

private:
    void pack(const std::vector<InferRow>& rows);
    Result<void> execute(const std::vector<InferRow>& rows, InferKind kind);
    Result<void> execute_table(const std::vector<InferRow>& rows);
    template <typename Batch>
    Result<void> execute_on(const Batch& batch, const std::vector<InferRow>& rows, InferKind kind);

    std::optional<Executor> executor_;
    PackedBatch batch_;  // kept for its memory
    ImageBatch images_;  // instead of it, of a model that sees
    std::vector<const NativeAdapter*> adapters_;
};

}  // namespace rootstock
