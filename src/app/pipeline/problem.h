#pragma once
// How failures are told: OpenAI's error shape, {"error": {"message", "type", "param", "code"}}, under a status that
// stands in one table.

#include "base/base.h"
#include "http/http.h"

namespace rootstock {

// The answer to a failed request. Faults of ours are told in general words; their details belong in the log. Where
// coming back helps, Retry-After says when: after `retry_seconds`, rounded up, at least 1 and at most 61.
http::Response problem(const Error& error, double retry_seconds = 0);

// The same for what the HTTP server refuses by itself.
http::Response problem(const http::Refusal& refusal);

int status_of(const Error& error);

}  // namespace rootstock
