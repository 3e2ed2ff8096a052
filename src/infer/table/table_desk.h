#pragma once
// Table models for many tenants. Each is a base of its own, small and with its own columns, so they share what is
// around them: one bounded queue, fair by tenant, whose batches hold the rows of all callers of one model; one thread
// that runs them; one budget of memory within which they come and go. Who waits for a model to come in holds up nobody
// else.

#include "infer/residency/residency.h"
#include "infer/scheduler.h"

namespace rootstock {

struct TableDeskSettings {
    NativeOptions native{Precision::fp32};
    QueueLimits queue;
    std::size_t batch_tokens_max = 16384;  // a row is a token for each column and one more, of a narrow model
    std::size_t batch_rows_max = 256;
    ResidencyLimits residency;
    std::function<void(const BatchFacts&)> on_batch;  // called on the desk's thread after each run
};

inline constexpr const char* table_desk_name = "tables";  // among the base models, where figures are told

struct TableDesk {
    explicit TableDesk(const TableDeskSettings& settings = {});

    Residency residency;  // of ResidentAdapters with a table
    Scheduler scheduler;  // of requests with rows of one
};

}  // namespace rootstock
