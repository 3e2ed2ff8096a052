#pragma once
// Tuning jobs as their owners ordered them (the job itself: jobs.h), their events, and the names their models bear.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "catalog/ids.h"
#include "catalog/jobs.h"
#include "catalog/page.h"
#include "store/store.h"

namespace rootstock::catalog {

struct Tuning {
    JobId job;
    TenantId tenant;
    std::string tenant_name;      // as it was called then: part of the model's name
    std::string model;            // what is tuned, as asked for
    FileId training, validation;  // validation may be empty
    std::string suffix;           // of the model's name; may be empty
    std::int64_t seed = 0;
    json::value hyperparameters;  // as asked for: numbers, or "auto"
    json::value metadata;         // an object of strings, or null
    RequestId request;            // under which its price is held and posted
    ApiKeyId key;                 // that ordered it
    // what became of it
    std::string tuned_model;                     // "ft:base:tenant:suffix:id"; empty until it succeeded
    std::optional<std::int64_t> trained_tokens;  // likewise
    FileId result;                               // likewise: step metrics as CSV
};

void add_tuning(store::Session& session, const Tuning& tuning);
// not_found, reason "job_not_found", for a foreign one too.
Result<Tuning> find_tuning(store::Session& session, const TenantId& tenant, const JobId& job);

struct TuningRow {
    Tuning tuning;
    Job job;
};
// `metadata`: only those that carry all of these; empty: all.
Page<TuningRow> list_tunings(store::Session& session, const TenantId& tenant, const PageQuery& query,
                             const std::vector<std::pair<std::string, std::string>>& metadata = {});

// Hyperparameters as they were settled when the files were read.
void set_hyperparameters(store::Session& session, const Tuning& tuning, const json::value& hyperparameters);

// The outcome, and the model's name from now on. With the job's success, in one transaction.
void finish_tuning(store::Session& session, const Tuning& tuning, const AdapterId& adapter, Timestamp now);

// ---- events, for people and programs ----

struct JobEvent {
    std::string id = {};           // empty: made when it is added
    std::string level = "info";    // "info", "warn", "error"
    std::string type = "message";  // "message", "metrics"
    std::string message = {};
    json::value data = {};  // of metrics: {"step", "train_loss", ...}
    Timestamp created = {};
};

// `mark`: what the event is about ("step 40"); a second event of a job with the same mark, told again by a run that
// resumed from a checkpoint, is not kept. Empty: kept always.
void add_event(store::Session& session, const TenantId& tenant, const JobId& job, JobEvent event,
               std::string_view mark);

Page<JobEvent> list_events(store::Session& session, const TenantId& tenant, const JobId& job, const PageQuery& query);

// ---- names of tuned models ----

struct TunedModel {
    TenantId tenant;
    std::string name;
    AdapterId adapter;
    JobId job;
    Timestamp created;
};

// Removed ones are not there. not_found, reason "model_not_found".
Result<TunedModel> find_tuned_model(store::Session& session, const TenantId& tenant, std::string_view name);
std::vector<TunedModel> list_tuned_models(store::Session& session, const TenantId& tenant);  // by name

// The name answers no more; the adapter's version stays, for what it answered.
Result<void> remove_tuned_model(store::Session& session, const TenantId& tenant, std::string_view name, Timestamp now);

}  // namespace rootstock::catalog
