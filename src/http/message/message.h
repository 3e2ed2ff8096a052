#pragma once
// One request and one response as values. The server fills the request, the handler returns the response.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message/body_file.h"
#include "http/message/stream.h"

namespace rootstock::http {

struct Header {
    std::string name;
    std::string value;
};

struct Request {
    std::string method;                 // "GET", as sent: methods are case-sensitive
    std::string path;                   // the target's path as sent, percent-encoded: for logs
    std::vector<std::string> segments;  // the path split at '/', each part percent-decoded and valid UTF-8;
                                        // "/v1/models/a%2Fb" has three: "v1", "models", "a/b"
    std::string query;                  // what follows '?', as sent
    std::vector<Header> headers;        // in order of arrival; trailers of a chunked body are not among them
    std::string body;
    std::shared_ptr<const BodyFile> body_file;  // instead of `body`, when the body was planned to go to a file
    std::vector<Header> path_values;            // filled by the router: {"id", "a/b"} for the pattern /v1/models/{id}
    std::string peer;                           // the caller's address, "127.0.0.1"
    double received = 0;                        // monotonic seconds when the head was complete
    std::shared_ptr<Presence> caller = std::make_shared<Presence>();

    // The first header of that name (any case), or nothing.
    std::optional<std::string_view> header(std::string_view name) const;
    // All headers of that name as one list, ", " between (RFC 9110, 5.2).
    std::string all_of_header(std::string_view name) const;
    // The value of a pattern's {name}; empty when the pattern has none.
    std::string_view path_value(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<Header> headers;  // Content-Length, Date and Connection are the server's business
    std::string body;
    std::shared_ptr<const BodyFile> body_file;  // instead of `body`: sent piece by piece
    BodyProducer stream{};  // makes the body instead; called once, also when the caller has left, but not for HEAD
    bool close = false;     // ends the connection after this response
};

bool same_name(std::string_view a, std::string_view b);  // header names, ASCII case ignored

const char* reason_phrase(int status);

// How a body's end is told: by its length, by a last chunk, or, to a reader of HTTP/1.0, by the connection's end.
enum class BodyEnd { length, chunked, close };

// The response's bytes on the wire; of a streamed one the head. A header value with control characters is our own fault
// and asserts: it would let a stored text write headers. `head_only` leaves the body out (answer to HEAD), not its
// length.
std::string serialize(const Response& response, bool keep_alive, bool head_only, BodyEnd end = BodyEnd::length);

}  // namespace rootstock::http
