#pragma once
// The journey of a tuning that a customer orders (tune.cpp) and a worker carries out (tuning/leased.cpp):
//
//   order      what is asked for is checked as far as it can be at once; a job waits for a worker
//   lease      a worker takes the oldest job that waits, or whose worker is gone
//   validate   the files' rows are read; a faulty row ends the job, named
//   reserve    the highest possible price, on the customer's account under the order's request id
//   learn      as finetune does, from the last checkpoint if there is one; pause and cancel reach the learner
//   enter      version, name, result file, trained tokens, price and machine time: all of it or nothing
//
// The model answers at once under the name "ft:BASE:TENANT:SUFFIX:ID".

#include <functional>
#include <optional>
#include <string>

#include "base/base.h"
#include "catalog/catalog.h"
#include "flow/finetune.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace rootstock {

struct TuningOrder {
    tenant::Caller caller;
    RequestId request;
    std::string model;            // a base model, by name or digest
    FileId training, validation;  // validation may be empty
    std::string suffix;           // may be empty
    std::optional<std::int64_t> seed;
    json::object hyperparameters;  // "n_epochs", "batch_size", "learning_rate_multiplier": a number or "auto"
    json::value metadata;          // an object of strings, or null
};

// Errors: model_not_found, file_not_found, invalid_argument (a file of another purpose, a suffix that is no name).
Result<catalog::TuningRow> order_tuning(store::Session& session, Timestamp now, TuningOrder order);

struct TuneSettings {
    double lease_seconds = 30;  // a worker that is silent for so long has lost its job
    double renew_seconds = 5;
    double again_seconds = 5;          // before a job that broke off by a fault of ours is tried again
    std::int64_t files_bytes_max = 0;  // see catalog::add_file
};

struct TuneParts {
    store::Database& records;
    const store::Blobs& blobs;
    Home home;
    Clock& clock;
    std::string worker;              // names this process in the leases
    std::function<bool()> stopping;  // the process was told to end: jobs keep a checkpoint and are given back
    TuneSettings settings;
};

enum class TuneOutcome {
    nothing,  // no job waits
    worked,   // a job was taken, whatever became of it; the records say what
    stopped,  // a job was given back because this process is to end
};

// Takes one job and works on it to its end. Failures of the job are the job's; an Error is one of the store.
Result<TuneOutcome> tune_next(const TuneParts& parts);

// What nobody works on any more and nobody is to: pauses, cancels or fails it, and lets its price go. Returns how many.
std::int64_t end_stranded_tunings(store::Session& session, Timestamp now);

// The owner's wishes, with the price let go where a job ends by them.
Result<void> cancel_tuning(store::Session& session, const TenantId& tenant, const JobId& job, Timestamp now);

}  // namespace rootstock
