#pragma once
// The steps themselves (the list with their reasons: pipeline.cpp).

#include "app/pipeline/exchange.h"

namespace rootstock {

Task<Result<void>> match_route(Exchange& exchange);   // 404 unknown_url, 405 method_not_allowed
Task<Result<void>> authenticate(Exchange& exchange);  // 401 invalid_api_key, 403 tenant_suspended
Task<Result<void>> authorize(Exchange& exchange);     // 403 insufficient_scope, insufficient_role; 404 tenant_not_found
Task<Result<void>> limit(Exchange& exchange);         // 429 rate_limit_exceeded
Task<Result<void>> parse_body(Exchange& exchange);    // 415 unsupported_media_type, 400 invalid_json
Task<Result<void>> validate(Exchange& exchange);      // 400 invalid_value, unknown_field, unsupported
Task<Result<void>> claim(Exchange& exchange);         // 409 idempotency_running, 422 idempotency_key_reused
Task<Result<void>> answer(Exchange& exchange);

// After the route: keeps what it answered under the claimed key, if its change has not done so, or frees the key.
Task<Result<void>> close_claim(Exchange& exchange, const Result<http::Response>& response);

bool is_form(const http::Request& request);  // says its Content-Type that it is multipart/form-data?

// Whose key came with it: 401 invalid_api_key, 403 tenant_suspended.
Result<tenant::Caller> caller_of(Services& services, const http::Request& request);

// The session's token among the cookies; empty: none. The cookie's name says more under TLS: browsers then hold it to
// this host and to https (RFC 6265bis, "__Host-").
std::string_view session_token(const Services& services, const http::Request& request);
std::string_view session_cookie(const Services& services);

}  // namespace rootstock
