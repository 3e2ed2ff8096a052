#include "http/message/message.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/base.h"

namespace rootstock::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), made once a second.
std::string date_now() {
    thread_local std::time_t made = 0;
    thread_local std::string text;
    std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        std::array<char, 40> buffer{};
        std::size_t size = std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        text.assign(buffer.data(), size);
        made = now;
    }
    return text;
}

void add_header(std::string& out, std::string_view name, std::string_view value) {
    auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    ROOTSTOCK_CHECK(std::none_of(value.begin(), value.end(), is_control), "a header value carries a control character");
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::header(std::string_view name) const {
    for (const auto& header : headers)
        if (same_name(header.name, name)) return header.value;
    return std::nullopt;
}

std::string Request::all_of_header(std::string_view name) const {
    std::string all;
    for (const auto& header : headers)
        if (same_name(header.name, name)) all.append(all.empty() ? "" : ", ").append(header.value);
    return all;
}

std::string_view Request::path_value(std::string_view name) const {
    for (const auto& value : path_values)
        if (value.name == name) return value.value;
    return {};
}

const char* reason_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Other";
    }
}

std::string serialize(const Response& response, bool keep_alive, bool head_only, BodyEnd end) {
    std::string out;
    out.reserve(512 + (head_only ? 0 : response.body.size()));
    out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    out.append(reason_phrase(response.status)).append("\r\n");
    add_header(out, "Date", date_now());
    if (!response.content_type.empty()) add_header(out, "Content-Type", response.content_type);
    const auto length = response.body_file ? response.body_file->size() : response.body.size();
    const bool bodiless = response.status == 204 || response.status == 304;  // RFC 9110, 8.6
    const bool has_length = end == BodyEnd::length && !bodiless;
    if (has_length) add_header(out, "Content-Length", std::to_string(length));
    if (end == BodyEnd::chunked) add_header(out, "Transfer-Encoding", "chunked");
    for (const auto& header : response.headers) add_header(out, header.name, header.value);
    add_header(out, "Connection", keep_alive ? "keep-alive" : "close");
    out.append("\r\n");
    if (!head_only) out.append(response.body);
    return out;
}

}  // namespace rootstock::http
