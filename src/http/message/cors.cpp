#include "http/message/cors.h"

#include <boost/url/parse.hpp>

#include <algorithm>

#include "http/message/encoding.h"
#include "http/message/list_field.h"

namespace rootstock::http {
namespace {

constexpr const char* answer_kept_seconds = "600";
constexpr std::size_t asked_headers_max = 64;

// What pages may read besides the headers that every page may.
constexpr const char* exposed =
    "x-request-id, Retry-After, retry-after-ms, Idempotent-Replayed, traceresponse, x-should-retry, "
    "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens";

std::unexpected<Error> bad_origin(std::string_view origin, const char* reason) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(origin) + "' is no origin to allow: " + reason,
                "cors-origin");
}

bool named(const Request& request, const std::vector<std::string>& origins) {
    const auto origin = request.header("Origin");
    return origin && std::find(origins.begin(), origins.end(), *origin) != origins.end();
}

// The names the browser asks for, when all of them can be header names.
std::optional<std::string> asked_headers(const Request& request) {
    std::string names;
    const auto members = members_of(request.header("Access-Control-Request-Headers").value_or(""));
    if (members.size() > asked_headers_max) return std::nullopt;
    for (auto name : members) {
        if (!is_token(name)) return std::nullopt;
        names.append(names.empty() ? "" : ", ").append(name);
    }
    return names;
}

}  // namespace

Result<void> check_origin(std::string_view origin) {
    if (origin == "*" || origin == "null") return bad_origin(origin, "name each origin that may call");
    auto parsed = boost::urls::parse_uri(origin);
    if (!parsed || (parsed->scheme() != "https" && parsed->scheme() != "http") || parsed->host().empty())
        return bad_origin(origin, "write SCHEME://HOST or SCHEME://HOST:PORT, such as https://app.example.com");
    const bool bare =
        parsed->encoded_path().empty() && !parsed->has_query() && !parsed->has_fragment() && !parsed->has_userinfo();
    if (!bare) return bad_origin(origin, "nothing stands behind the host and its port");
    const bool capitals = std::any_of(origin.begin(), origin.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (capitals) return bad_origin(origin, "browsers write it in small letters");
    const std::string_view standard = parsed->scheme() == "https" ? "443" : "80";
    if (parsed->has_port() && (parsed->port() == standard || parsed->port().empty()))
        return bad_origin(origin, "browsers leave the scheme's own port out");
    return {};
}

std::optional<Response> preflight(const Request& request, const std::vector<std::string>& origins,
                                  const std::string& allow) {
    if (request.method != "OPTIONS" || !request.header("Access-Control-Request-Method")) return std::nullopt;
    if (!named(request, origins)) return std::nullopt;
    const auto headers = asked_headers(request);
    if (!headers) return std::nullopt;
    Response response;
    response.status = 204;
    response.content_type.clear();
    response.headers.push_back({"Access-Control-Allow-Methods", allow});
    if (!headers->empty()) response.headers.push_back({"Access-Control-Allow-Headers", *headers});
    response.headers.push_back({"Access-Control-Max-Age", answer_kept_seconds});
    return response;
}

void allow_origin(Response& response, const Request& request, const std::vector<std::string>& origins) {
    if (origins.empty()) return;
    vary_by(response, "Origin");
    if (!named(request, origins)) return;
    response.headers.push_back({"Access-Control-Allow-Origin", std::string(*request.header("Origin"))});
    if (request.method != "OPTIONS") response.headers.push_back({"Access-Control-Expose-Headers", exposed});
}

}  // namespace rootstock::http
