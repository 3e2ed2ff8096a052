#pragma once
// The steps themselves (the list with their reasons: pipeline.cpp).

#include "app/pipeline/exchange.h"

namespace rootstock {

Task<Result<void>> match_route(Exchange& exchange);   // 404 unknown_url, 405 method_not_allowed
Task<Result<void>> authenticate(Exchange& exchange);  // 401 invalid_api_key, 403 tenant_suspended
Task<Result<void>> limit(Exchange& exchange);         // 429 rate_limit_exceeded
Task<Result<void>> parse_body(Exchange& exchange);    // 415 unsupported_media_type, 400 invalid_json
Task<Result<void>> validate(Exchange& exchange);      // 400 invalid_value, unknown_field, unsupported
Task<Result<void>> answer(Exchange& exchange);

// Whose key came with it: 401 invalid_api_key, 403 tenant_suspended.
Result<tenant::Caller> caller_of(Services& services, const http::Request& request);

}  // namespace rootstock
