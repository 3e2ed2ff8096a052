#pragma once
// GET over HTTP(S) through libcurl, with what fetching from the Hub needs: headers of every hop, a bearer token that
// never leaves its host, and bodies handed on piece by piece.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct WebAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // of the last hop, lower-case names; x-linked-size, x-linked-etag,
                                                 // x-repo-commit and x-error-message of the first hop that has them
    std::string final_etag;                      // of the last hop, without W/ and quotes
    std::string body;                            // when the status is not 2xx: the first bytes

    std::string header(const std::string& name) const {
        auto at = headers.find(name);
        return at == headers.end() ? "" : at->second;
    }
};

struct WebRequest {
    std::string url;
    std::string bearer;                // sent only to the scheme, host and port of `url`
    std::vector<std::string> headers;  // "Range: bytes=5-"
};

struct WebHooks {
    std::function<Result<void>(const WebAnswer&)> on_answer;  // the last hop's headers are here, the body follows
    std::function<Result<void>(std::string_view)> on_bytes;   // pieces of the body of a 2xx answer
};

class Web {
public:
    Web();
    ~Web();
    Web(const Web&) = delete;
    Web& operator=(const Web&) = delete;

    // Follows up to eight redirects (never from https to http). An answer of any status is an answer; unavailable: no
    // connection, a broken or stalled transfer. An error of a hook ends the transfer and comes back as it is.
    Result<WebAnswer> get(const WebRequest& request, const WebHooks& hooks);

private:
    void* handle_;
};

// Do both addresses name the same scheme, host and port?
bool same_origin(const std::string& a, const std::string& b);
bool is_web_address(const std::string& url);
std::string percent_encoded(std::string_view text, bool keep_slashes);
std::string plain_etag(std::string_view header);  // without W/ and quotes

}  // namespace rootstock
