#pragma once
// Files, as the routes that make some see them.

#include "app/routes/answers.h"

namespace rootstock {

bool is_purpose(std::string_view purpose);  // of what customers upload
inline constexpr const char* purposes_sentence =
    "must be 'fine-tune', 'batch', 'user_data', 'assistants', 'vision' or 'evals'";

// A file's record but for its bytes and digest, kept for so many seconds (nothing: until it is deleted).
catalog::File new_file(const Services& services, const TenantId& tenant, std::string filename, std::string purpose,
                       std::optional<std::int64_t> seconds);

inline store::BlobKey blob_key(const catalog::File& file) { return {file.tenant.text(), file.id.text()}; }

json::object to_json(const catalog::File& file);

}  // namespace rootstock
