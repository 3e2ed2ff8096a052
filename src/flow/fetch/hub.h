#pragma once
// A model from the Hub, by its own HTTP protocol (what huggingface_hub speaks):
//
//   GET {endpoint}/api/models/{owner/name}/revision/{revision}?blobs=true
//       -> {"sha": commit, "siblings": [{"rfilename", "size", "blobId", "lfs": {"sha256", "size"}}], "cardData"}
//   GET {endpoint}/{owner/name}/resolve/{commit}/{file}
//       -> the bytes, or a redirect with X-Linked-Size and X-Linked-ETag (SHA-256) for large files (LFS);
//          small files carry their git blob id (SHA-1) as ETag
//
// Files are fetched at the commit, so that a branch moving meanwhile mixes nothing. A broken transfer goes on where it
// stopped (Range with If-Range, RFC 9110), in this run or the next. Every file is checked for size and digest.

#include "flow/fetch/fetch.h"
#include "flow/fetch/source.h"

namespace rootstock {

struct HubSettings {
    std::string endpoint;       // without a slash at the end
    std::string token;          // bearer; empty: anonymous. Sent to the endpoint's own host only, never logged
    int attempts = 5;           // of one file in a row without a new byte
    double wait_seconds = 0.5;  // before the second attempt; doubles each time, up to half a minute
};

// HF_ENDPOINT (default: the public Hub) and HF_TOKEN. invalid_argument: an endpoint that is no http(s) address.
Result<HubSettings> hub_settings_from_environment();

// Fetches into `work`, which is kept between calls for the same source: partial files wait there.
// not_found: no such repository, revision or model file in it; unauthenticated, permission_denied: the Hub wants a
// (better) token; unavailable: no answer after all attempts; corrupt: a file that contradicts its digest, twice.
Result<FetchedModel> fetch_from_hub(const Source& source, const HubSettings& settings,
                                    const std::filesystem::path& work, const FetchProgress& progress);

}  // namespace rootstock
