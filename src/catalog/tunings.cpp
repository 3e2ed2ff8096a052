#include "catalog/tunings.h"

#include "catalog/columns.h"

namespace rootstock::catalog {
namespace {

template <typename... Args>
std::vector<Tuning> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Tuning> tunings;
    session.for_each<JobId, TenantId, std::string, std::string, FileId, FileId, std::string, std::int64_t, std::string,
                     std::string, RequestId, ApiKeyId, std::string, std::optional<std::int64_t>, FileId>(
        "SELECT id, tenant_id, tenant_name, model, training_file, validation_file, suffix, seed, hyperparameters, "
        "metadata, request_id, key_id, tuned_model, trained_tokens, result_file FROM tuning " +
            rest,
        [&](JobId job, TenantId tenant, std::string tenant_name, std::string model, FileId training, FileId validation,
            std::string suffix, std::int64_t seed, const std::string& hyperparameters, const std::string& metadata,
            RequestId request, ApiKeyId key, std::string tuned, std::optional<std::int64_t> tokens, FileId result) {
            tunings.push_back({std::move(job), std::move(tenant), std::move(tenant_name), std::move(model),
                               std::move(training), std::move(validation), std::move(suffix), seed,
                               json_column(hyperparameters), json_column(metadata), std::move(request), std::move(key),
                               std::move(tuned), tokens, std::move(result)});
        },
        args...);
    return tunings;
}

bool carries(const json::value& metadata, const std::vector<std::pair<std::string, std::string>>& wanted) {
    for (const auto& [key, value] : wanted) {
        const auto* found = metadata.is_object() ? metadata.get_object().if_contains(key) : nullptr;
        if (!found || !found->is_string() || std::string_view(found->get_string()) != value) return false;
    }
    return true;
}

}  // namespace

void add_tuning(store::Session& session, const Tuning& tuning) {
    session.execute(
        "INSERT INTO tuning (tenant_id, id, tenant_name, model, training_file, validation_file, suffix, seed, "
        "hyperparameters, metadata, request_id, key_id, tuned_model, trained_tokens, result_file) VALUES (:tenant, "
        ":id, "
        ":tenant_name, :model, :training, :validation, :suffix, :seed, :hyperparameters, :metadata, :request, :key, "
        "'', "
        "NULL, '')",
        tuning.tenant, tuning.job, tuning.tenant_name, tuning.model, tuning.training, tuning.validation, tuning.suffix,
        tuning.seed, text_column(tuning.hyperparameters), text_column(tuning.metadata), tuning.request, tuning.key);
}

Result<Tuning> find_tuning(store::Session& session, const TenantId& tenant, const JobId& job) {
    auto found = select(session, "WHERE tenant_id = :tenant AND id = :id", tenant, job);
    if (found.empty())
        return fail(ErrorCode::not_found, "there is no fine-tuning job '" + job.text() + "'", "fine_tuning_job_id",
                    "job_not_found");
    return std::move(found.front());
}

Page<TuningRow> list_tunings(store::Session& session, const TenantId& tenant, const PageQuery& query,
                             const std::vector<std::pair<std::string, std::string>>& metadata) {
    // With a filter the page is chosen here: metadata is small, and no database we run on need understand JSON.
    PageQuery wide = query;
    if (!metadata.empty()) wide.limit = 100'000;
    auto tunings = select(session, "WHERE tenant_id = :tenant" + page_clause(wide), tenant, wide.after, wide.after,
                          wide.limit + 1);
    std::erase_if(tunings, [&](const Tuning& tuning) { return !carries(tuning.metadata, metadata); });
    auto chosen = page_of(std::move(tunings), query);
    Page<TuningRow> page{{}, chosen.has_more};
    for (auto& tuning : chosen.items) {
        auto job = find_job(session, tuning.job);
        ROOTSTOCK_CHECK(job.has_value(), "a tuning has no job");
        page.items.push_back({std::move(tuning), std::move(*job)});
    }
    return page;
}

void set_hyperparameters(store::Session& session, const Tuning& tuning, const json::value& hyperparameters) {
    session.execute("UPDATE tuning SET hyperparameters = :values WHERE tenant_id = :tenant AND id = :id",
                    text_column(hyperparameters), tuning.tenant, tuning.job);
}

void finish_tuning(store::Session& session, const Tuning& tuning, const AdapterId& adapter, Timestamp now) {
    session.execute(
        "UPDATE tuning SET tuned_model = :model, trained_tokens = :tokens, result_file = :result "
        "WHERE tenant_id = :tenant AND id = :id",
        tuning.tuned_model, tuning.trained_tokens, tuning.result, tuning.tenant, tuning.job);
    session.execute(
        "INSERT INTO tuned_model (tenant_id, name, adapter_id, job_id, created_at) VALUES (:tenant, :name, :adapter, "
        ":job, :now)",
        tuning.tenant, tuning.tuned_model, adapter, tuning.job, now);
}

// ---- events ----

void add_event(store::Session& session, const TenantId& tenant, const JobId& job, JobEvent event,
               std::string_view mark) {
    if (event.id.empty()) event.id = mint_id("ftevent", event.created);
    session.execute(
        "INSERT INTO job_event (tenant_id, job_id, id, level, type, message, data, mark, created_at) VALUES (:tenant, "
        ":job, :id, :level, :type, :message, :data, :mark, :created) ON CONFLICT (tenant_id, job_id, mark) DO NOTHING",
        tenant, job, event.id, event.level, event.type, event.message, text_column(event.data),
        mark.empty() ? event.id : std::string(mark), event.created);
}

Page<JobEvent> list_events(store::Session& session, const TenantId& tenant, const JobId& job, const PageQuery& query) {
    std::vector<JobEvent> events;
    session.for_each<std::string, std::string, std::string, std::string, std::string, Timestamp>(
        "SELECT id, level, type, message, data, created_at FROM job_event WHERE tenant_id = :tenant AND job_id = :job" +
            page_clause(query),
        [&](std::string id, std::string level, std::string type, std::string message, const std::string& data,
            Timestamp created) {
            events.push_back(
                {std::move(id), std::move(level), std::move(type), std::move(message), json_column(data), created});
        },
        tenant, job, query.after, query.after, query.limit + 1);
    return page_of(std::move(events), query);
}

// ---- names ----

namespace {

template <typename... Args>
std::vector<TunedModel> select_models(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<TunedModel> models;
    session.for_each<TenantId, std::string, AdapterId, JobId, Timestamp>(
        "SELECT tenant_id, name, adapter_id, job_id, created_at FROM tuned_model WHERE removed_at IS NULL AND " + rest,
        [&](auto... columns) { models.push_back({std::move(columns)...}); }, args...);
    return models;
}

std::unexpected<Error> no_model(std::string_view name) {
    return fail(ErrorCode::not_found, "the model '" + std::string(name) + "' does not exist", "model",
                "model_not_found");
}

}  // namespace

Result<TunedModel> find_tuned_model(store::Session& session, const TenantId& tenant, std::string_view name) {
    auto found = select_models(session, "tenant_id = :tenant AND name = :name", tenant, name);
    if (found.empty()) return no_model(name);
    return std::move(found.front());
}

std::vector<TunedModel> list_tuned_models(store::Session& session, const TenantId& tenant) {
    return select_models(session, "tenant_id = :tenant ORDER BY name", tenant);
}

Result<void> remove_tuned_model(store::Session& session, const TenantId& tenant, std::string_view name, Timestamp now) {
    ROOTSTOCK_TRY(model, find_tuned_model(session, tenant, name));
    session.execute("UPDATE tuned_model SET removed_at = :now WHERE tenant_id = :tenant AND name = :name", now, tenant,
                    name);
    session.execute("DELETE FROM adapter_live WHERE tenant_id = :tenant AND adapter_id = :adapter", tenant,
                    model.adapter);
    session.execute("UPDATE adapter SET state = 'retired' WHERE id = :adapter", model.adapter);
    return {};
}

}  // namespace rootstock::catalog
