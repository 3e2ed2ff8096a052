#include "catalog/batches.h"

#include <array>

#include "catalog/columns.h"

namespace rootstock::catalog {
namespace {

constexpr std::array states{BatchState::validating, BatchState::failed,    BatchState::in_progress,
                            BatchState::finalizing, BatchState::completed, BatchState::expired,
                            BatchState::cancelling, BatchState::cancelled};

BatchState state_named(const std::string& text) {
    for (const auto state : states)
        if (text == name(state)) return state;
    return BatchState::failed;
}

using Instant = std::optional<Timestamp>;

template <typename... Args>
std::vector<Batch> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Batch> batches;
    session.for_each<BatchId, TenantId, ApiKeyId, std::string, std::string, FileId, FileId, FileId, std::string,
                     std::string, std::string, std::optional<std::int64_t>, std::int64_t, std::int64_t, std::int64_t,
                     std::int64_t, std::int64_t, Timestamp, Timestamp, Instant, Instant, Instant, Instant, Instant,
                     Instant, Instant>(
        "SELECT id, tenant_id, key_id, endpoint, model, input_file, output_file, error_file, state, problems, "
        "metadata, "
        "output_seconds, total, completed, failed, input_tokens, output_tokens, created_at, expires_at, "
        "in_progress_at, "
        "finalizing_at, completed_at, failed_at, expired_at, cancelling_at, cancelled_at FROM batch " +
            rest,
        [&](BatchId id, TenantId tenant, ApiKeyId key, std::string endpoint, std::string model, FileId input,
            FileId output, FileId errors, const std::string& state, const std::string& problems,
            const std::string& metadata, std::optional<std::int64_t> seconds, std::int64_t total,
            std::int64_t completed, std::int64_t failed, std::int64_t in, std::int64_t out, Timestamp created,
            Timestamp expires, auto... instants) {
            batches.push_back({std::move(id),
                               std::move(tenant),
                               std::move(key),
                               std::move(endpoint),
                               std::move(model),
                               std::move(input),
                               std::move(output),
                               std::move(errors),
                               state_named(state),
                               json_column(problems),
                               json_column(metadata),
                               seconds,
                               total,
                               completed,
                               failed,
                               in,
                               out,
                               created,
                               expires,
                               instants...});
        },
        args...);
    return batches;
}

}  // namespace

const char* name(BatchState state) {
    switch (state) {
        case BatchState::validating:
            return "validating";
        case BatchState::failed:
            return "failed";
        case BatchState::in_progress:
            return "in_progress";
        case BatchState::finalizing:
            return "finalizing";
        case BatchState::completed:
            return "completed";
        case BatchState::expired:
            return "expired";
        case BatchState::cancelling:
            return "cancelling";
        case BatchState::cancelled:
            return "cancelled";
    }
    return "failed";
}

bool is_over(BatchState state) {
    return state == BatchState::failed || state == BatchState::completed || state == BatchState::expired ||
           state == BatchState::cancelled;
}

void add_batch(store::Session& session, const Batch& batch) {
    session.execute(
        "INSERT INTO batch (tenant_id, id, key_id, endpoint, model, input_file, output_file, error_file, state, "
        "problems, metadata, output_seconds, total, completed, failed, input_tokens, output_tokens, created_at, "
        "expires_at) VALUES (:tenant, :id, :key, :endpoint, '', :input, '', '', 'validating', 'null', :metadata, "
        ":seconds, 0, 0, 0, 0, 0, :created, :expires)",
        batch.tenant, batch.id, batch.key, batch.endpoint, batch.input, text_column(batch.metadata),
        batch.output_seconds, batch.created, batch.expires);
}

Result<Batch> find_batch(store::Session& session, const TenantId& tenant, const BatchId& id) {
    auto found = select(session, "WHERE tenant_id = :tenant AND id = :id", tenant, id);
    if (found.empty())
        return fail(ErrorCode::not_found, "there is no batch '" + id.text() + "'", "batch_id", "batch_not_found");
    return std::move(found.front());
}

Page<Batch> list_batches(store::Session& session, const TenantId& tenant, const PageQuery& query) {
    return page_of(select(session, "WHERE tenant_id = :tenant" + page_clause(query), tenant, query.after, query.after,
                          query.limit + 1),
                   query);
}

std::vector<Batch> open_batches(store::Session& session) {
    return select(session, "WHERE state IN ('validating', 'in_progress', 'finalizing', 'cancelling') ORDER BY id");
}

Result<Batch> save_batch(store::Session& session, const Batch& batch) {
    ROOTSTOCK_TRY(current, find_batch(session, batch.tenant, batch.id));
    if (is_over(current.state))
        return fail(ErrorCode::conflict, "the batch " + batch.id.text() + " is " + name(current.state), "batch_id",
                    "batch_state");
    Batch next = batch;
    if (current.state == BatchState::cancelling && !is_over(next.state)) {
        next.state = BatchState::cancelling;
        next.cancelling_at = current.cancelling_at;
    }
    session.execute(
        "UPDATE batch SET model = :model, output_file = :output, error_file = :errors, state = :state, problems = "
        ":problems, total = :total, completed = :completed, failed = :failed, input_tokens = :in, output_tokens = "
        ":out, "
        "in_progress_at = :progress, finalizing_at = :finalizing, completed_at = :done, failed_at = :broken, "
        "expired_at "
        "= :expired, cancelling_at = :cancelling, cancelled_at = :cancelled WHERE tenant_id = :tenant AND id = :id",
        next.model, next.output, next.errors_file, std::string(name(next.state)), text_column(next.problems),
        next.total, next.completed, next.failed, next.input_tokens, next.output_tokens, next.in_progress_at,
        next.finalizing_at, next.completed_at, next.failed_at, next.expired_at, next.cancelling_at, next.cancelled_at,
        next.tenant, next.id);
    return next;
}

Result<Batch> cancel_batch(store::Session& session, const TenantId& tenant, const BatchId& id, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE batch SET state = 'cancelling', cancelling_at = :now WHERE tenant_id = :tenant AND id = :id AND "
        "state IN ('validating', 'in_progress')",
        now, tenant, id);
    ROOTSTOCK_TRY(batch, find_batch(session, tenant, id));
    if (changed == 1 || batch.state == BatchState::cancelling) return batch;
    return fail(ErrorCode::conflict, "the batch " + id.text() + " is " + name(batch.state) + " and cannot be cancelled",
                "batch_id", "batch_state");
}

}  // namespace rootstock::catalog
