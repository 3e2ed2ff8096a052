#include "app/pipeline/problem.h"

#include <algorithm>
#include <cmath>

namespace rootstock {
namespace {

// The one table from errors to HTTP. `code` is the word programs look at when the error brings none of its own.
struct Row {
    ErrorCode error;
    int status;
    const char* type;
    const char* code;
};
constexpr Row table[] = {
    {ErrorCode::invalid_argument, 400, "invalid_request_error", "invalid_value"},
    {ErrorCode::too_long, 400, "invalid_request_error", "context_length_exceeded"},
    {ErrorCode::unsupported, 400, "invalid_request_error", "unsupported"},
    {ErrorCode::unauthenticated, 401, "authentication_error", "invalid_api_key"},
    {ErrorCode::permission_denied, 403, "permission_error", "permission_denied"},
    {ErrorCode::not_found, 404, "invalid_request_error", "not_found"},
    {ErrorCode::already_exists, 409, "invalid_request_error", "already_exists"},
    {ErrorCode::conflict, 409, "invalid_request_error", "conflict"},
    {ErrorCode::too_large, 413, "invalid_request_error", "request_too_large"},
    {ErrorCode::insufficient_quota, 429, "insufficient_quota", "insufficient_quota"},
    {ErrorCode::rate_limited, 429, "rate_limit_error", "rate_limit_exceeded"},
    {ErrorCode::overloaded, 503, "server_error", "overloaded"},
    {ErrorCode::unavailable, 503, "server_error", "unavailable"},
    {ErrorCode::cancelled, 503, "server_error", "cancelled"},
    {ErrorCode::corrupt, 500, "server_error", "internal"},
    {ErrorCode::io, 500, "server_error", "internal"},
    {ErrorCode::internal, 500, "server_error", "internal"},
};

// Reasons with a status of their own.
struct Special {
    std::string_view reason;
    int status;
};
constexpr Special specials[] = {
    {"method_not_allowed", 405},      // the path is served, this method is not (RFC 9110)
    {"unsupported_media_type", 415},  // a body that is not JSON, or no form where one is wanted
    {"idempotency_key_reused", 422},  // draft-ietf-httpapi-idempotency-key-header
};

// Refusals of the HTTP server, by status.
struct Refused {
    int status;
    const char* type;
    const char* code;
};
constexpr Refused refused_table[] = {
    {400, "invalid_request_error", "bad_request"},
    {413, "invalid_request_error", "request_too_large"},
    {414, "invalid_request_error", "uri_too_long"},
    {417, "invalid_request_error", "expectation_failed"},
    {431, "invalid_request_error", "headers_too_large"},
    {500, "server_error", "internal"},
    {503, "server_error", "overloaded"},
    {505, "invalid_request_error", "http_version"},
};

const Row& row_of(ErrorCode code) {
    for (const auto& row : table)
        if (row.error == code) return row;
    ROOTSTOCK_CHECK(false, "an error code is missing in the table of problems");
}

http::Response shape(int status, std::string_view message, std::string_view type, std::string_view param,
                     std::string_view code, int retry_after = 1) {
    json::object error;
    error["message"] = message;
    error["type"] = type;
    error["param"] = param.empty() ? json::value(nullptr) : json::value(param);
    error["code"] = code;
    http::Response response;
    response.status = status;
    response.body = json::serialize(json::object{{"error", std::move(error)}});
    if (status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
    const bool in_vain = code == "insufficient_quota" || code == "tokens_above_limit";
    if (status == 503 || (type == "rate_limit_error" && !in_vain) || code == "idempotency_running")
        response.headers.push_back({"Retry-After", std::to_string(retry_after)});
    if (status == 429 && in_vain) response.headers.push_back({"x-should-retry", "false"});
    return response;
}

std::string_view message_of(const Error& error, int status) {
    if (status == 500) return "something went wrong here; the fault is logged under this request's id";
    if (error.code == ErrorCode::unavailable && error.reason.empty())
        return "the service cannot keep its books just now, so it does not answer; come back in a moment";
    return error.message;
}

// Whole seconds, rounded up: who comes back then finds what is promised.
int retry_after(double seconds) { return static_cast<int>(std::clamp(std::ceil(seconds), 1.0, 61.0)); }

}  // namespace

int status_of(const Error& error) {
    for (const auto& special : specials)
        if (special.reason == error.reason) return special.status;
    return row_of(error.code).status;
}

http::Response problem(const Error& error, double retry_seconds) {
    const auto& row = row_of(error.code);
    int status = status_of(error);
    bool own_word = !error.reason.empty() && status != 500;
    return shape(status, message_of(error, status), row.type, error.param, own_word ? error.reason : row.code,
                 retry_after(retry_seconds));
}

http::Response problem(const http::Refusal& refusal) {
    for (const auto& row : refused_table)
        if (row.status == refusal.status) return shape(row.status, refusal.sentence, row.type, {}, row.code);
    ROOTSTOCK_CHECK(false, "a refusal is missing in the table of problems");
}

}  // namespace rootstock
