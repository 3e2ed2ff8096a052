#pragma once
// The one HTTP client, over libcurl: GET and POST, plain or under TLS with the certificate verified; every bound is a
// named rule. Answers can be taken whole (send) or piece by piece (get); a bearer token never leaves its host.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "http/client/addresses.h"

namespace rootstock::http {

struct WebAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // of the last hop, lower-case names; x-linked-size, x-linked-etag,
                                                 // x-repo-commit and x-error-message of the first hop that has them
    std::string final_etag;                      // of the last hop, without W/ and quotes
    std::string body;                            // of send: all of it; of get, when the status is not 2xx: the first

    std::string header(const std::string& name) const {
        auto at = headers.find(name);
        return at == headers.end() ? "" : at->second;
    }
};

struct WebRequest {
    std::string url;
    std::string bearer;                 // sent only to the scheme, host and port of `url`
    std::vector<std::string> headers;   // "Range: bytes=5-"
    std::optional<std::string> post{};  // the body of a POST; nothing: a GET
};

struct WebRules {
    int redirects_max = 0;                   // hops to follow, never from https to http
    std::chrono::seconds connect_max{15};    // until the connection stands
    std::chrono::seconds stalled_max{30};    // without a single byte
    std::chrono::milliseconds total_max{0};  // of one hop; 0: any
    AddressRule addresses{};                 // whom it may reach; with public_only no proxy is asked
    bool https_only = false;
    std::string authorities{};  // a file of certificates to trust in place of the system's
};

// For files of any size from places that lead on to others.
inline WebRules download_rules() { return {.redirects_max = 8}; }

struct WebHooks {
    std::function<Result<void>(const WebAnswer&)> on_answer;  // the last hop's headers are here, the body follows
    std::function<Result<void>(std::string_view)> on_bytes;   // pieces of the body of a 2xx answer
    bool any_status = false;                                  // on_bytes hears bodies of other answers too
};

class Web {
public:
    explicit Web(WebRules rules = {});
    ~Web();
    Web(const Web&) = delete;
    Web& operator=(const Web&) = delete;

    // An answer of any status is an answer, one that leads on too when no redirect is followed. unavailable: no
    // connection, a broken or stalled transfer, with reason "not_sent" when the request certainly never left;
    // permission_denied, reason "address_refused": the name leads where it may not. An error of a hook ends the
    // transfer and comes back as it is.
    Result<WebAnswer> get(const WebRequest& request, const WebHooks& hooks);

    // The whole body, whatever the status; too_large beyond `bytes_max`.
    Result<WebAnswer> send(const WebRequest& request, std::size_t bytes_max);

private:
    WebRules rules_;
    void* handle_;
};

// Do both addresses name the same scheme, host and port?
bool same_origin(const std::string& a, const std::string& b);
bool is_web_address(const std::string& url);
// The host of an address, in lower case; "" when it is none.
std::string host_of(const std::string& url);
std::string percent_encoded(std::string_view text, bool keep_slashes);
std::string plain_etag(std::string_view header);  // without W/ and quotes

}  // namespace rootstock::http
