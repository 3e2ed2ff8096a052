#include "catalog/models.h"

#include "catalog/columns.h"

namespace rootstock::catalog {
namespace {

constexpr std::size_t digest_prefix_min = 8;

template <typename... Args>
std::vector<Model> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Model> models;
    session.for_each<std::string, std::string, std::string, std::string, std::string, std::string, Timestamp>(
        "SELECT digest, name, family, source, folder, licence, added_at FROM model " + rest,
        [&](auto... columns) { models.push_back({std::move(columns)...}); }, args...);
    return models;
}

bool may_be_digest(std::string_view text) {
    return text.size() >= digest_prefix_min && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// All digests that begin with `prefix`: those from it up to it with the highest possible rest.
std::vector<Model> with_prefix(store::Session& session, std::string_view prefix) {
    if (!may_be_digest(prefix)) return {};
    return select(session, "WHERE digest >= :low AND digest < :high ORDER BY digest LIMIT 2", prefix,
                  std::string(prefix) + "g");
}

}  // namespace

Model add_model(store::Session& session, const Model& model) {
    session.execute(
        "INSERT INTO model (digest, name, family, source, folder, licence, added_at) "
        "VALUES (:digest, :name, :family, :source, :folder, :licence, :added) ON CONFLICT (digest) DO NOTHING",
        model.digest, model.name, model.family, model.source, model.folder, model.licence, model.added);
    return select(session, "WHERE digest = :digest", model.digest).front();
}

Result<Model> find_model(store::Session& session, std::string_view name_or_digest) {
    auto named = select(session, "WHERE name = :name ORDER BY added_at DESC, digest LIMIT 1", name_or_digest);
    if (!named.empty()) return std::move(named.front());
    auto matching = with_prefix(session, name_or_digest);
    if (matching.size() == 1) return std::move(matching.front());
    if (matching.size() > 1)
        return fail(ErrorCode::conflict,
                    "several models begin with '" + std::string(name_or_digest) + "': give more digits", "model");
    return fail(ErrorCode::not_found,
                "there is no base model '" + std::string(name_or_digest) +
                    "': see `rootstock models`, or fetch one with `rootstock pull`",
                "model", "model_not_found");
}

Result<Model> rename_model(store::Session& session, const std::string& digest, const std::string& name) {
    auto others = select(session, "WHERE name = :name AND digest <> :digest LIMIT 1", name, digest);
    if (!others.empty())
        return fail(ErrorCode::already_exists,
                    "the name '" + name + "' belongs to model " + others.front().digest.substr(0, 12), "name");
    session.execute("UPDATE model SET name = :name WHERE digest = :digest", name, digest);
    return select(session, "WHERE digest = :digest", digest).front();
}

std::vector<Model> list_models(store::Session& session) { return select(session, "ORDER BY added_at, digest"); }

void add_dataset(store::Session& session, const Dataset& dataset) {
    session.execute(
        "INSERT INTO dataset (tenant_id, digest, source, row_count, rejected, labels, added_at) "
        "VALUES (:tenant, :digest, :source, :rows, :rejected, :labels, :added) "
        "ON CONFLICT (tenant_id, digest) DO NOTHING",
        dataset.owner, dataset.digest, dataset.source, dataset.rows, dataset.rejected, text_column(dataset.labels),
        dataset.added);
}

Result<Dataset> find_dataset(store::Session& session, const TenantId& owner, std::string_view digest) {
    auto row = session.first<std::string, TenantId, std::string, std::int64_t, std::int64_t, std::string, Timestamp>(
        "SELECT digest, tenant_id, source, row_count, rejected, labels, added_at FROM dataset "
        "WHERE tenant_id = :tenant AND digest = :digest",
        owner, digest);
    if (!row)
        return fail(ErrorCode::not_found, "there is no data set " + std::string(digest), "dataset",
                    "dataset_not_found");
    auto& [found, tenant, source, rows, rejected, labels, added] = *row;
    return Dataset{found, tenant, source, rows, rejected, words_column(labels), added};
}

}  // namespace rootstock::catalog
