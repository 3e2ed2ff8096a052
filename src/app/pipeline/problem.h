#pragma once
// How failures are told: OpenAI's error shape, {"error": {"message", "type", "param", "code"}}, under a status that
// stands in one table. Routes that speak another server's language tell them as that one does:
//
//   kserve   {"error": "..."} under the same status
//   tei      {"error": "...", "error_type": "Validation"} under the status that goes with its type there
//   details  application/problem+json (RFC 9457), the management API: {"type", "title", "status", "detail", "instance",
//            "code", "request_id"}, and "param" where a field is at fault

#include "base/base.h"
#include "http/http.h"

namespace rootstock {

enum class Dialect { openai, kserve, tei, details };

// Where it went wrong; only `details` tells it.
struct Occurrence {
    std::string path{}, request{};
};

// The answer to a failed request. Faults of ours are told in general words; their details belong in the log. Where
// coming back helps, Retry-After says when: after `retry_seconds`, rounded up, at least 1 and at most 61.
http::Response problem(const Error& error, double retry_seconds = 0, Dialect dialect = Dialect::openai,
                       const Occurrence& occurrence = {});

// The same for what the HTTP server refuses by itself.
http::Response problem(const http::Refusal& refusal);

int status_of(const Error& error);

}  // namespace rootstock
