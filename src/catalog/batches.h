#pragma once
// Batches: many requests in a file, answered when there is room, each line once.
//
//   validating -> in_progress -> finalizing -> completed
//   validating -> failed (the file is no batch);  in_progress -> cancelling -> cancelled;  -> expired at expires
//
// The lines' answers stand in files under way and in the ledger (each line is idempotent by its custom_id); what is
// here is how far a batch is.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/ids.h"
#include "catalog/page.h"
#include "store/store.h"

namespace rootstock::catalog {

enum class BatchState { validating, failed, in_progress, finalizing, completed, expired, cancelling, cancelled };
const char* name(BatchState state);
bool is_over(BatchState state);

struct Batch {
    BatchId id;
    TenantId tenant;
    ApiKeyId key;                       // that ordered it
    std::string endpoint;               // "/v1/classify"
    std::string model;                  // of its first line; empty before validation
    FileId input, output, errors_file;  // output and errors_file once it is over, if they have lines
    BatchState state = BatchState::validating;
    json::value problems;  // [{"code", "message", "param", "line"}] when failed
    json::value metadata;
    std::optional<std::int64_t> output_seconds;  // how long output files are to be kept
    std::int64_t total = 0, completed = 0, failed = 0;
    std::int64_t input_tokens = 0, output_tokens = 0;
    Timestamp created, expires;
    std::optional<Timestamp> in_progress_at, finalizing_at, completed_at, failed_at, expired_at, cancelling_at,
        cancelled_at;
};

void add_batch(store::Session& session, const Batch& batch);
// not_found, reason "batch_not_found"; foreign ones too.
Result<Batch> find_batch(store::Session& session, const TenantId& tenant, const BatchId& id);
Page<Batch> list_batches(store::Session& session, const TenantId& tenant, const PageQuery& query);
std::vector<Batch> open_batches(store::Session& session);  // of everybody, oldest first

// Writes what may change: state and its instants, model, files, problems, counts. A batch that is over stays as it is
// (conflict, reason "batch_state"), and one that is to be cancelled does not go back to in_progress: it answers with
// the batch as it stands now.
Result<Batch> save_batch(store::Session& session, const Batch& batch);

// validating or in_progress -> cancelling. conflict, reason "batch_state".
Result<Batch> cancel_batch(store::Session& session, const TenantId& tenant, const BatchId& id, Timestamp now);

}  // namespace rootstock::catalog
