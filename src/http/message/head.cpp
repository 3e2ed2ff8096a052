#include "http/message/head.h"

#include <algorithm>

#include "http/message/message.h"
#include "http/message/percent.h"

namespace rootstock::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

std::string_view trim(std::string_view text) {
    auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view take_line(std::string_view& rest) {
    auto end = rest.find("\r\n");
    auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
}

std::optional<Refusal> check_request_line(std::string_view line, const HeadLimits& limits) {
    auto first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return Refusal{400, "the request line is malformed"};
    auto target = line.substr(first + 1, last - first - 1), version = line.substr(last + 1);
    if (!is_token(line.substr(0, first))) return Refusal{400, "the request method is malformed"};
    if (target.size() > limits.target_bytes_max)
        return Refusal{414, "the request target is longer than " + std::to_string(limits.target_bytes_max) + " bytes"};
    auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (target.empty() || !std::all_of(target.begin(), target.end(), visible))
        return Refusal{400, "the request target has characters that must be percent-encoded"};
    if (version == "HTTP/1.1" || version == "HTTP/1.0") return std::nullopt;
    if (version.starts_with("HTTP/")) return Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
    return Refusal{400, "the request line is malformed"};
}

// What decides where the message ends, gathered over all header lines.
struct Framing {
    int hosts = 0, lengths = 0, encodings = 0;
};

std::optional<Refusal> check_header_line(std::string_view line, Framing& framing) {
    if (line.front() == ' ' || line.front() == '\t') return Refusal{400, "folded header lines are not accepted"};
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return Refusal{400, "a header line has no colon"};
    auto name = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (!is_token(name)) return Refusal{400, "a header name is malformed"};
    if (same_name(name, "Host")) ++framing.hosts;
    if (same_name(name, "Content-Length")) {
        ++framing.lengths;
        if (value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), is_digit))
            return Refusal{400, "Content-Length must be plain digits"};
    }
    if (same_name(name, "Transfer-Encoding")) {
        ++framing.encodings;
        if (!same_name(value, "chunked")) return Refusal{400, "the only Transfer-Encoding accepted is 'chunked'"};
    }
    return std::nullopt;
}

std::optional<Refusal> check_framing(const Framing& framing, bool version_1_1) {
    if (framing.hosts > 1 || (version_1_1 && framing.hosts == 0))
        return Refusal{400, "the request must carry one Host header"};
    if (framing.lengths > 1) return Refusal{400, "Content-Length is given twice"};
    if (framing.encodings > 1) return Refusal{400, "Transfer-Encoding is given twice"};
    if (framing.lengths && framing.encodings)
        return Refusal{400, "Content-Length and Transfer-Encoding must not come together"};
    if (framing.encodings && !version_1_1) return Refusal{400, "HTTP/1.0 knows no Transfer-Encoding"};
    return std::nullopt;
}

std::optional<std::string> decode_segment(std::string_view segment) {
    auto text = percent_decode(segment, Plus::is_itself);
    if (!text || *text == "." || *text == "..") return std::nullopt;
    return text;
}

// "http://host/path" means "/path" here (RFC 9112, 3.2.2).
std::string_view without_authority(std::string_view target) {
    for (std::string_view scheme : {"http://", "https://"}) {
        if (!same_name(target.substr(0, scheme.size()), scheme)) continue;
        auto path = target.find('/', scheme.size());
        return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    return target;
}

}  // namespace

std::optional<Refusal> check_head(std::string_view head, const HeadLimits& limits) {
    if (head.size() > limits.head_bytes_max) return Refusal{431, "the request's headers are too large"};
    ROOTSTOCK_CHECK(head.ends_with("\r\n\r\n"), "check_head was given an incomplete head");
    std::string_view rest = head;
    auto request_line = take_line(rest);
    if (auto refusal = check_request_line(request_line, limits)) return refusal;
    Framing framing;
    std::size_t count = 0;
    for (auto line = take_line(rest); !line.empty(); line = take_line(rest)) {
        if (std::any_of(line.begin(), line.end(), is_control))
            return Refusal{400, "a header line has control characters"};
        if (auto refusal = check_header_line(line, framing)) return refusal;
        if (++count > limits.headers_max) return Refusal{431, "the request has too many headers"};
    }
    return check_framing(framing, request_line.ends_with("1.1"));
}

bool has_bare_line_feed(std::string_view bytes) {
    for (std::size_t i = bytes.find('\n'); i != std::string_view::npos; i = bytes.find('\n', i + 1))
        if (i == 0 || bytes[i - 1] != '\r') return true;
    return false;
}

Accepted<Target> parse_target(std::string_view raw) {
    auto target = without_authority(raw);
    if (!target.starts_with('/')) return std::unexpected(Refusal{400, "the request target must begin with '/'"});
    Target parts;
    auto mark = target.find('?');
    parts.path = target.substr(0, mark);
    if (mark != std::string_view::npos) parts.query = target.substr(mark + 1);
    std::string_view rest = std::string_view(parts.path).substr(1);
    while (true) {
        auto end = rest.find('/');
        auto segment = decode_segment(rest.substr(0, end));
        if (!segment) return std::unexpected(Refusal{400, "the request path is malformed"});
        parts.segments.push_back(std::move(*segment));
        if (end == std::string_view::npos) return parts;
        rest.remove_prefix(end + 1);
    }
}

}  // namespace rootstock::http
