#pragma once
// Cross-origin calls from browsers (Fetch Standard, "CORS protocol"): pages of the origins named here may call and
// read. Never "*", and never with credentials of the browser: whoever calls brings a key in Authorization.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "http/message/message.h"

namespace rootstock::http {

// An origin as browsers send it: "https://app.example.com", "http://localhost:3000". invalid_argument, with a sentence,
// for "*", "null", a path, capitals, or a port that the scheme has anyway.
Result<void> check_origin(std::string_view origin);

// The answer to a browser's question before a call (OPTIONS with Access-Control-Request-Method) from a named origin;
// nothing when the request is no such question, or the origin is not named. `allow`: the path's methods, "GET, HEAD".
std::optional<Response> preflight(const Request& request, const std::vector<std::string>& origins,
                                  const std::string& allow);

// What an answer must say so that a page of a named origin may read it. With any origin named, every answer varies by
// Origin.
void allow_origin(Response& response, const Request& request, const std::vector<std::string>& origins);

}  // namespace rootstock::http
