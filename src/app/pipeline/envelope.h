#pragma once
// What every answer carries besides its body, and the line that is kept of it.

#include <string>

#include "app/pipeline/exchange.h"

namespace rootstock {

// Which request it belongs to, and that it is nobody else's: x-request-id, Cache-Control, X-Content-Type-Options; under
// TLS Strict-Transport-Security.
void mark(http::Response& response, const RequestId& id, const Services& services);

// A failed exchange's answer, with Allow and Retry-After where they help.
void tell_problem(Exchange& exchange, const Error& error);

// The rest, in this order: marks, what is left of the caller's limits (x-ratelimit-*), traceresponse, who may read it
// in a browser, and gzip where it is wanted and worth it (on the pool where it is much).
Task<void> seal(Exchange& exchange);

// A duration as OpenAI writes it in x-ratelimit-reset-*: "0s", "120ms", "8.64s", "6m0s", "1h2m3s".
std::string duration_text(double seconds);

// The access log: one line of name=value for each answer. Ids and numbers, no address, key, query, header or body.
void log_access(const Exchange& exchange, double seconds);
void log_refusal(const RequestId& id, int status);  // of what never became a request

}  // namespace rootstock
