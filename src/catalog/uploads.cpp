#include "catalog/files.h"

namespace rootstock::catalog {
namespace {

UploadState upload_state(const std::string& text) {
    for (const auto state : {UploadState::pending, UploadState::completed, UploadState::cancelled})
        if (text == name(state)) return state;
    return UploadState::expired;
}

std::vector<Upload> select(store::Session& session, const TenantId& tenant, const UploadId& id) {
    std::vector<Upload> uploads;
    session.for_each<UploadId, TenantId, std::string, std::string, std::string, std::int64_t, std::string, FileId,
                     std::optional<std::int64_t>, Timestamp, Timestamp>(
        "SELECT id, tenant_id, filename, purpose, mime_type, bytes, state, file_id, file_seconds, created_at, "
        "expires_at FROM upload WHERE tenant_id = :tenant AND id = :id",
        [&](UploadId upload, TenantId owner, std::string filename, std::string purpose, std::string type,
            std::int64_t bytes, const std::string& state, FileId file, std::optional<std::int64_t> seconds,
            Timestamp created, Timestamp expires) {
            uploads.push_back({std::move(upload), std::move(owner), std::move(filename), std::move(purpose),
                               std::move(type), bytes, upload_state(state), std::move(file), seconds, created,
                               expires});
        },
        tenant, id);
    return uploads;
}

// pending -> `state`, once.
Result<void> move(store::Session& session, const Upload& upload, UploadState state, const FileId& file, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE upload SET state = :state, file_id = :file WHERE tenant_id = :tenant AND id = :id AND "
        "state = 'pending' AND expires_at > :now",
        std::string(name(state)), file, upload.tenant, upload.id, now);
    if (changed == 1) return {};
    ROOTSTOCK_TRY(current, find_upload(session, upload.tenant, upload.id, now));
    return fail(ErrorCode::conflict, "the upload " + upload.id.text() + " is " + name(current.state), "upload_id",
                "upload_state");
}

void remove_parts(store::Session& session, const TenantId& tenant, const UploadId& upload) {
    session.execute("DELETE FROM upload_part WHERE tenant_id = :tenant AND upload_id = :upload", tenant, upload);
}

std::int64_t bytes_of_parts(store::Session& session, const Upload& upload) {
    return session.value<std::int64_t>(
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM upload_part WHERE tenant_id = :tenant AND "
        "upload_id = :upload",
        upload.tenant, upload.id);
}

}  // namespace

const char* name(UploadState state) {
    switch (state) {
        case UploadState::pending:
            return "pending";
        case UploadState::completed:
            return "completed";
        case UploadState::cancelled:
            return "cancelled";
        case UploadState::expired:
            return "expired";
    }
    return "expired";
}

void add_upload(store::Session& session, const Upload& upload) {
    session.execute(
        "INSERT INTO upload (tenant_id, id, filename, purpose, mime_type, bytes, state, file_id, file_seconds, "
        "created_at, expires_at) VALUES (:tenant, :id, :filename, :purpose, :type, :bytes, 'pending', '', :seconds, "
        ":created, :expires)",
        upload.tenant, upload.id, upload.filename, upload.purpose, upload.mime_type, upload.bytes, upload.file_seconds,
        upload.created, upload.expires);
}

Result<Upload> find_upload(store::Session& session, const TenantId& tenant, const UploadId& id, Timestamp now) {
    auto found = select(session, tenant, id);
    if (found.empty())
        return fail(ErrorCode::not_found, "there is no upload '" + id.text() + "'", "upload_id", "upload_not_found");
    if (found.front().state == UploadState::pending && found.front().expires <= now)
        found.front().state = UploadState::expired;
    return std::move(found.front());
}

Result<void> add_part(store::Session& session, const Upload& upload, const UploadPart& part, std::int64_t bytes_max,
                      Timestamp now) {
    ROOTSTOCK_TRY(current, find_upload(session, upload.tenant, upload.id, now));
    if (current.state != UploadState::pending)
        return fail(ErrorCode::conflict, "the upload " + upload.id.text() + " is " + name(current.state), "upload_id",
                    "upload_state");
    if (bytes_of_parts(session, current) + part.bytes > current.bytes)
        return fail(ErrorCode::invalid_argument,
                    "the parts come to more than the " + std::to_string(current.bytes) + " bytes that were announced",
                    "data");
    if (stored_bytes(session, upload.tenant) + part.bytes > bytes_max)
        return fail(ErrorCode::too_large,
                    "your files would come to more than " + std::to_string(bytes_max) +
                        " bytes with this part: delete some that are no longer needed",
                    "data", "storage_quota_exceeded");
    session.execute(
        "INSERT INTO upload_part (tenant_id, upload_id, id, bytes, created_at) VALUES (:tenant, :upload, :id, :bytes, "
        ":created)",
        upload.tenant, upload.id, part.id, part.bytes, part.created);
    return {};
}

std::vector<UploadPart> parts_of(store::Session& session, const TenantId& tenant, const UploadId& upload) {
    std::vector<UploadPart> parts;
    session.for_each<PartId, UploadId, std::int64_t, Timestamp>(
        "SELECT id, upload_id, bytes, created_at FROM upload_part WHERE tenant_id = :tenant AND upload_id = :upload "
        "ORDER BY id",
        [&](auto... columns) { parts.push_back({std::move(columns)...}); }, tenant, upload);
    return parts;
}

Result<void> complete_upload(store::Session& session, const Upload& upload, const File& file, std::int64_t bytes_max,
                             Timestamp now) {
    ROOTSTOCK_CHECKED(move(session, upload, UploadState::completed, file.id, now));
    remove_parts(session, upload.tenant, upload.id);
    return add_file(session, file, bytes_max);
}

Result<void> cancel_upload(store::Session& session, const Upload& upload, Timestamp now) {
    ROOTSTOCK_CHECKED(move(session, upload, UploadState::cancelled, {}, now));
    remove_parts(session, upload.tenant, upload.id);
    return {};
}

std::vector<PartKey> take_expired_parts(store::Session& session, Timestamp now) {
    std::vector<PartKey> parts;
    for (auto& [tenant, upload] : session.query<TenantId, UploadId>(
             "SELECT tenant_id, id FROM upload WHERE state = 'pending' AND expires_at <= :now LIMIT 100", now)) {
        for (const UploadPart& part : parts_of(session, tenant, upload)) parts.push_back({tenant, part.id});
        remove_parts(session, tenant, upload);
        session.execute("UPDATE upload SET state = 'expired' WHERE tenant_id = :tenant AND id = :id", tenant, upload);
    }
    return parts;
}

}  // namespace rootstock::catalog
