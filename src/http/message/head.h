#pragma once
// The strict gate before the parser. Requests are smuggled where two readers of the same bytes disagree about
// where a message ends, so a head is taken only if there is one way to read it (RFC 9112, sections 2 to 6):
// CRLF line ends and nothing else, no folded lines, no blank before a colon, no control characters, one Host, one
// Content-Length of plain digits or one "Transfer-Encoding: chunked", never both.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::http {

struct HeadLimits {
    std::size_t head_bytes_max = 16 * 1024;  // request line and headers together
    std::size_t headers_max = 100;
    std::size_t target_bytes_max = 8 * 1024;
};

// Why a request is refused before any handler sees it.
struct Refusal {
    int status = 400;
    std::string sentence;
};

template <typename T>
using Accepted = std::expected<T, Refusal>;

// `head` is everything up to and with the empty line. Returns the refusal, or nothing when the head is clean.
std::optional<Refusal> check_head(std::string_view head, const HeadLimits& limits);

// A line feed without its carriage return, in bytes that may still be incomplete: such a sender is refused at
// once instead of waiting for an end that never comes.
bool has_bare_line_feed(std::string_view bytes);

struct Target {
    std::string path;
    std::vector<std::string> segments;
    std::string query;
};

// Takes an origin-form or absolute-form target apart and decodes the segments once. Refuses bad escapes, NUL,
// invalid UTF-8 and the segments "." and "..".
Accepted<Target> parse_target(std::string_view target);

}  // namespace rootstock::http
