#pragma once
// Files of tenants, and uploads that become files. The bytes are blobs (store/blob) under (tenant, file id) and
// (tenant, part id); these are their records. A foreign file answers like a missing one.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "catalog/ids.h"
#include "catalog/page.h"
#include "store/store.h"

namespace rootstock::catalog {

// Where their bytes stand (docs/formats/customers-files.md), and those of the answers of batches under way.
inline std::filesystem::path files_folder(const Home& home) { return home.root / "files"; }
inline std::filesystem::path batches_folder(const Home& home) { return home.root / "batches"; }

struct File {
    FileId id;
    TenantId tenant;
    std::string filename;  // as sent; shown, never opened
    std::string purpose;   // "fine-tune", "batch", "fine-tune-results", "batch_output", "user_data"
    std::int64_t bytes = 0;
    std::string sha256;
    Timestamp created;
    std::optional<Timestamp> expires;
};

// too_large, reason "storage_quota_exceeded", when the tenant's files and unfinished uploads would come to more than
// `bytes_max` with it.
Result<void> add_file(store::Session& session, const File& file, std::int64_t bytes_max);

// not_found, reason "file_not_found"; also when its time is over.
Result<File> find_file(store::Session& session, const TenantId& tenant, const FileId& id, Timestamp now);

// `purpose` empty: all.
Page<File> list_files(store::Session& session, const TenantId& tenant, std::string_view purpose, const PageQuery& query,
                      Timestamp now);

Result<void> remove_file(store::Session& session, const TenantId& tenant, const FileId& id);

// For the sweeper: takes the records of files whose time is over (at most 1,000); their blobs are to be removed.
std::vector<File> take_expired_files(store::Session& session, Timestamp now);

// Bytes that count against a tenant's quota.
std::int64_t stored_bytes(store::Session& session, const TenantId& tenant);

// ---- uploads: a file in parts ----

enum class UploadState { pending, completed, cancelled, expired };
const char* name(UploadState state);

struct Upload {
    UploadId id;
    TenantId tenant;
    std::string filename, purpose, mime_type;
    std::int64_t bytes = 0;  // as announced
    UploadState state = UploadState::pending;
    FileId file;                               // when completed
    std::optional<std::int64_t> file_seconds;  // how long the file is to be kept
    Timestamp created, expires;
};

struct UploadPart {
    PartId id;
    UploadId upload;
    std::int64_t bytes = 0;
    Timestamp created;
};

void add_upload(store::Session& session, const Upload& upload);

// A pending upload whose time is over is told as expired. not_found, reason "upload_not_found".
Result<Upload> find_upload(store::Session& session, const TenantId& tenant, const UploadId& id, Timestamp now);

// conflict, reason "upload_state", unless it is pending; invalid_argument when the parts come to more than was
// announced; storage_quota_exceeded as for files.
Result<void> add_part(store::Session& session, const Upload& upload, const UploadPart& part, std::int64_t bytes_max,
                      Timestamp now);
std::vector<UploadPart> parts_of(store::Session& session, const TenantId& tenant, const UploadId& upload);

// pending -> completed with its file, or -> cancelled; the parts' records go, their blobs are to be removed.
Result<void> complete_upload(store::Session& session, const Upload& upload, const File& file, std::int64_t bytes_max,
                             Timestamp now);
Result<void> cancel_upload(store::Session& session, const Upload& upload, Timestamp now);

// For the sweeper: ends pending uploads whose time is over; returns the keys of their parts.
struct PartKey {
    TenantId tenant;
    PartId part;
};
std::vector<PartKey> take_expired_parts(store::Session& session, Timestamp now);

}  // namespace rootstock::catalog
