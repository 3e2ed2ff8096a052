#pragma once
// One file from the Hub, whole and proven: resumed where it broke off, checked for size and digest.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "flow/fetch/hub.h"
#include "http/http.h"

namespace rootstock {

// What the Hub says about a file; where its list is silent, the headers of the download fill in.
struct RemoteFile {
    std::string path;  // in the repository
    std::optional<std::uint64_t> bytes;
    std::string sha256;    // large files
    std::string git_blob;  // SHA-1 over "blob <size>\0" and the content, small files
};

// Fetches `url` to `to`; unfinished bytes stand in `to`.part beside their `to`.etag. `on_size` hears how many bytes are
// here, also on going back. See hub.h for errors.
Result<void> fetch_remote_file(http::Web& web, const HubSettings& settings, const std::string& url, RemoteFile file,
                               const std::filesystem::path& to, const std::function<void(std::uint64_t)>& on_size);

// SHA-1 of git's blob object with this file's content.
Result<std::string> git_blob_id(const std::filesystem::path& file);

// The Error a status of the Hub stands for; `what` is what was asked for.
Error hub_error(const http::WebAnswer& answer, const std::string& what, const HubSettings& settings);

// Runs `attempt` until it succeeds, fails for good (any code but unavailable), or has failed settings.attempts times in
// a row; `progressed` says whether the last attempt brought something, which starts the count anew.
Result<void> with_patience(const HubSettings& settings, const std::function<Result<void>()>& attempt,
                           const std::function<bool()>& progressed);

}  // namespace rootstock
