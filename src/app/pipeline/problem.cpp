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
    {"precondition_failed", 412},     // If-Match names another version (RFC 9110)
    {"precondition_required", 428},   // a change without If-Match (RFC 6585)
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

// What is told besides the status and its headers.
struct Words {
    std::string_view message, type, param, code;
};

std::string openai_body(const Words& words) {
    json::object error;
    error["message"] = words.message;
    error["type"] = words.type;
    error["param"] = words.param.empty() ? json::value(nullptr) : json::value(words.param);
    error["code"] = words.code;
    return json::serialize(json::object{{"error", std::move(error)}});
}

http::Response shape(int status, const Words& words, int retry_after = 1) {
    const auto& [message, type, param, code] = words;
    http::Response response;
    response.status = status;
    response.body = openai_body(words);
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

// Text Embeddings Inference: its types of errors, each with its status, and what of ours each stands for.
struct TeiError {
    int status;
    const char* type;
};
TeiError tei_error(const Error& error, int status) {
    if (error.reason == "empty_inputs") return {400, "Empty"};
    if (error.code == ErrorCode::too_long) return {413, "Validation"};
    if (error.code == ErrorCode::unsupported) return {424, "Backend"};  // "Model is not a classifier model"
    if (error.code == ErrorCode::overloaded || status == 429) return {429, "Overloaded"};
    if (status == 400) return {422, "Validation"};
    if (status == 500) return {424, "Backend"};
    if (status == 503) return {503, "Unhealthy"};
    return {status, "Validation"};
}

http::Response in_dialect(http::Response response, const Error& error, std::string_view message, Dialect dialect) {
    if (dialect == Dialect::openai) return response;
    json::object body{{"error", message}};
    if (dialect == Dialect::tei) {
        const auto told = tei_error(error, response.status);
        response.status = told.status;
        body["error_type"] = told.type;
    }
    response.body = json::serialize(body);
    return response;
}

// RFC 9457. The type of what a quota refuses is registered (draft-ietf-httpapi-ratelimit-headers).
http::Response in_details(http::Response response, const Words& words, const Occurrence& occurrence) {
    const std::string type = response.status == 429 ? "https://iana.org/assignments/http-problem-types#quota-exceeded"
                                                    : "urn:rootstock:problem:" + std::string(words.code);
    json::object body{{"type", type},
                      {"title", http::reason_phrase(response.status)},
                      {"status", response.status},
                      {"detail", words.message},
                      {"instance", occurrence.path},
                      {"code", words.code},
                      {"request_id", occurrence.request}};
    if (!words.param.empty()) body["param"] = words.param;
    response.content_type = "application/problem+json";
    response.body = json::serialize(body);
    return response;
}

// Whole seconds, rounded up: who comes back then finds what is promised.
int retry_after(double seconds) { return static_cast<int>(std::clamp(std::ceil(seconds), 1.0, 61.0)); }

}  // namespace

int status_of(const Error& error) {
    for (const auto& special : specials)
        if (special.reason == error.reason) return special.status;
    return row_of(error.code).status;
}

http::Response problem(const Error& error, double retry_seconds, Dialect dialect, const Occurrence& occurrence) {
    const auto& row = row_of(error.code);
    int status = status_of(error);
    bool own_word = !error.reason.empty() && status != 500;
    const auto message = message_of(error, status);
    const Words words{message, row.type, error.param, own_word ? std::string_view(error.reason) : row.code};
    auto response = shape(status, words, retry_after(retry_seconds));
    if (dialect == Dialect::details) return in_details(std::move(response), words, occurrence);
    return in_dialect(std::move(response), error, message, dialect);
}

http::Response problem(const http::Refusal& refusal) {
    for (const auto& row : refused_table)
        if (row.status == refusal.status) return shape(row.status, {refusal.sentence, row.type, {}, row.code});
    ROOTSTOCK_CHECK(false, "a refusal is missing in the table of problems");
}

}  // namespace rootstock
