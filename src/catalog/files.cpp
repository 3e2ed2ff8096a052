#include "catalog/files.h"

namespace rootstock::catalog {
namespace {

constexpr const char* file_columns =
    "SELECT id, tenant_id, filename, purpose, bytes, sha256, created_at, expires_at FROM file ";

template <typename... Args>
std::vector<File> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<File> files;
    session.for_each<FileId, TenantId, std::string, std::string, std::int64_t, std::string, Timestamp,
                     std::optional<Timestamp>>(
        file_columns + rest, [&](auto... columns) { files.push_back({std::move(columns)...}); }, args...);
    return files;
}

std::unexpected<Error> no_file(const FileId& id) {
    return fail(ErrorCode::not_found, "there is no file '" + id.text() + "'", "file_id", "file_not_found");
}

}  // namespace

std::int64_t stored_bytes(store::Session& session, const TenantId& tenant) {
    return session.value<std::int64_t>(
        "SELECT CAST((SELECT COALESCE(SUM(bytes), 0) FROM file WHERE tenant_id = :tenant) + "
        "(SELECT COALESCE(SUM(bytes), 0) FROM upload_part WHERE tenant_id = :same) AS BIGINT)",
        tenant, tenant);
}

Result<void> add_file(store::Session& session, const File& file, std::int64_t bytes_max) {
    if (stored_bytes(session, file.tenant) + file.bytes > bytes_max)
        return fail(ErrorCode::too_large,
                    "your files would come to more than " + std::to_string(bytes_max) +
                        " bytes with this one: delete some that are no longer needed",
                    "file", "storage_quota_exceeded");
    session.execute(
        "INSERT INTO file (tenant_id, id, filename, purpose, bytes, sha256, created_at, expires_at) "
        "VALUES (:tenant, :id, :filename, :purpose, :bytes, :sha256, :created, :expires)",
        file.tenant, file.id, file.filename, file.purpose, file.bytes, file.sha256, file.created, file.expires);
    return {};
}

Result<File> find_file(store::Session& session, const TenantId& tenant, const FileId& id, Timestamp now) {
    auto found = select(session, "WHERE tenant_id = :tenant AND id = :id AND (expires_at IS NULL OR expires_at > :now)",
                        tenant, id, now);
    if (found.empty()) return no_file(id);
    return std::move(found.front());
}

Page<File> list_files(store::Session& session, const TenantId& tenant, std::string_view purpose, const PageQuery& query,
                      Timestamp now) {
    return page_of(select(session,
                          "WHERE tenant_id = :tenant AND (expires_at IS NULL OR expires_at > :now) AND "
                          "(:purpose = '' OR purpose = :like)" +
                              page_clause(query),
                          tenant, now, purpose, purpose, query.after, query.after, query.limit + 1),
                   query);
}

Result<void> remove_file(store::Session& session, const TenantId& tenant, const FileId& id) {
    if (session.execute("DELETE FROM file WHERE tenant_id = :tenant AND id = :id", tenant, id) == 1) return {};
    return no_file(id);
}

std::vector<File> take_expired_files(store::Session& session, Timestamp now) {
    auto files = select(session, "WHERE expires_at <= :now ORDER BY expires_at LIMIT 1000", now);
    for (const File& file : files)
        session.execute("DELETE FROM file WHERE tenant_id = :tenant AND id = :id", file.tenant, file.id);
    return files;
}

}  // namespace rootstock::catalog
