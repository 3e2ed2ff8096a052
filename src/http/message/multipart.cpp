#include "http/message/multipart.h"

#include <algorithm>

#include "http/message/message.h"
#include "http/message/percent.h"

namespace rootstock::http {
namespace {

constexpr std::size_t boundary_max = 70;

std::optional<Refusal> malformed(const std::string& what) {
    return Refusal{400, "the multipart body is malformed: " + what};
}

std::string_view trim(std::string_view text) {
    auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

struct Parameter {
    std::string name, value;
};

// Takes `; name=value` or `; name="value"` from the front, with \" and \\ unescaped. Nothing: it is neither.
std::optional<Parameter> take_parameter(std::string_view& rest) {
    rest = trim(rest);
    if (!rest.starts_with(';')) return std::nullopt;
    rest = trim(rest.substr(1));
    auto sign = rest.find('=');
    if (sign == std::string_view::npos || sign == 0) return std::nullopt;
    Parameter parameter{std::string(trim(rest.substr(0, sign))), {}};
    rest.remove_prefix(sign + 1);
    if (!rest.starts_with('"')) {
        auto end = std::min(rest.find(';'), rest.size());
        parameter.value = trim(rest.substr(0, end));
        rest.remove_prefix(end);
        return parameter;
    }
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return parameter;
        }
        bool escape = rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
        parameter.value += escape ? rest[++i] : rest[i];
    }
    return std::nullopt;
}

// Browsers write a quote, a CR or an LF in a name as %22, %0D and %0A (RFC 7578, section 2, and WHATWG's form).
std::string unescaped(std::string text) {
    for (auto [written, meant] : {std::pair{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}})
        for (auto at = text.find(written); at != std::string::npos; at = text.find(written, at + 1))
            text.replace(at, 3, 1, meant);
    return text;
}

std::optional<Refusal> read_disposition(std::string_view value, PartHead& head) {
    auto end = std::min(value.find(';'), value.size());
    if (!same_name(trim(value.substr(0, end)), "form-data")) return malformed("a part is no form-data");
    bool named = false;
    for (auto rest = value.substr(end); !trim(rest).empty();) {
        auto parameter = take_parameter(rest);
        if (!parameter) return malformed("a Content-Disposition");
        if (!is_utf8(parameter->value)) return malformed("a name is no UTF-8");
        if (same_name(parameter->name, "name")) {
            head.name = unescaped(std::move(parameter->value));
            named = true;
        } else if (same_name(parameter->name, "filename")) {
            head.filename = unescaped(std::move(parameter->value));
        }
    }
    return named && !head.name.empty() ? std::nullopt : malformed("a part has no name");
}

std::optional<Refusal> read_header(std::string_view line, PartHead& head, bool& disposed) {
    auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return malformed("a part's header has no colon");
    bool control = std::ranges::any_of(
        line, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
    if (control) return malformed("a part's header has control characters");
    auto name = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (same_name(name, "Content-Type")) head.content_type = value;
    if (same_name(name, "Content-Transfer-Encoding") && !same_name(value, "binary") && !same_name(value, "8bit") &&
        !same_name(value, "7bit"))
        return malformed("a Content-Transfer-Encoding is used");
    if (!same_name(name, "Content-Disposition")) return std::nullopt;
    if (disposed) return malformed("a part has two Content-Dispositions");
    disposed = true;
    return read_disposition(value, head);
}

// `text` is the head's lines, each with its CRLF.
std::optional<Refusal> read_part_head(std::string_view text, PartHead& head) {
    bool disposed = false;
    while (!text.empty()) {
        auto end = text.find("\r\n");
        if (auto refusal = read_header(text.substr(0, end), head, disposed)) return refusal;
        text.remove_prefix(end + 2);
    }
    return disposed ? std::nullopt : malformed("a part has no Content-Disposition");
}

bool may_stand_in_boundary(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

}  // namespace

Accepted<std::string> boundary_of(std::string_view content_type) {
    auto end = std::min(content_type.find(';'), content_type.size());
    if (!same_name(trim(content_type.substr(0, end)), "multipart/form-data"))
        return std::unexpected(Refusal{415, "send the body as multipart/form-data"});
    for (auto rest = content_type.substr(end); !trim(rest).empty();) {
        auto parameter = take_parameter(rest);
        if (!parameter) break;
        if (!same_name(parameter->name, "boundary")) continue;
        const auto& value = parameter->value;
        if (value.empty() || value.size() > boundary_max || value.back() == ' ' ||
            !std::ranges::all_of(value, may_stand_in_boundary))
            break;
        return value;
    }
    return std::unexpected(Refusal{400, "the Content-Type multipart/form-data needs a boundary of 1 to 70 characters"});
}

MultipartReader::MultipartReader(const std::string& boundary, MultipartLimits limits, PartSink& sink)
    : delimiter_("\r\n--" + boundary), limits_(limits), sink_(sink) {}

std::optional<Refusal> MultipartReader::add(std::string_view piece) {
    if (state_ == State::done) return std::nullopt;  // what follows the end means nothing
    buffer_.append(piece);
    for (bool more = true; more && state_ != State::done;)
        if (auto refusal = step(more)) return refusal;
    if (state_ == State::done) buffer_.clear();
    return std::nullopt;
}

std::optional<Refusal> MultipartReader::finish() {
    if (state_ == State::done) return std::nullopt;
    return malformed("it ends before its closing boundary");
}

// `more`: the buffer holds enough for another step.
std::optional<Refusal> MultipartReader::step(bool& more) {
    switch (state_) {
        case State::start:
            return read_start(more);
        case State::after_delimiter:
            return read_after_delimiter(more);
        case State::head:
            return read_head(more);
        case State::data:
            return read_data(more);
        case State::done:
            break;
    }
    more = false;
    return std::nullopt;
}

// The first delimiter stands at the very beginning, without its CRLF.
std::optional<Refusal> MultipartReader::read_start(bool& more) {
    std::string_view first = std::string_view(delimiter_).substr(2);
    auto length = std::min(buffer_.size(), first.size());
    if (buffer_.compare(0, length, first.substr(0, length)) != 0)
        return malformed("it does not begin with its boundary");
    more = buffer_.size() >= first.size();
    if (!more) return std::nullopt;
    buffer_.erase(0, first.size());
    state_ = State::after_delimiter;
    return std::nullopt;
}

std::optional<Refusal> MultipartReader::read_after_delimiter(bool& more) {
    more = buffer_.size() >= 2;
    if (!more) return std::nullopt;
    auto next = buffer_.substr(0, 2);
    buffer_.erase(0, 2);
    if (next != "--" && next != "\r\n") return malformed("something stands behind a boundary");
    if (next == "\r\n" && ++parts_ > limits_.parts_max)
        return Refusal{400, "the multipart body has more than " + std::to_string(limits_.parts_max) + " parts"};
    state_ = next == "--" ? State::done : State::head;
    return std::nullopt;
}

std::optional<Refusal> MultipartReader::read_head(bool& more) {
    auto end = buffer_.starts_with("\r\n") ? 0 : buffer_.find("\r\n\r\n");
    if (std::min(end, buffer_.size()) > limits_.part_head_bytes_max)
        return Refusal{400,
                       "a part's headers are longer than " + std::to_string(limits_.part_head_bytes_max) + " bytes"};
    more = end != std::string::npos;
    if (!more) return std::nullopt;
    if (end == 0) return malformed("a part has no headers");
    PartHead head;
    if (auto refusal = read_part_head(std::string_view(buffer_).substr(0, end + 2), head)) return refusal;
    // The blank line's CRLF may be that of a delimiter: a part without data.
    buffer_.erase(0, end + 2);
    state_ = State::data;
    auto refusal = sink_.begin(head);
    begun_ = true;
    return refusal;
}

// The data begins behind the blank line, whose CRLF is still in the buffer.
std::optional<Refusal> MultipartReader::read_data(bool& more) {
    std::size_t blank = begun_ ? 2 : 0;
    auto at = buffer_.find(delimiter_);
    if (at != std::string::npos) {
        if (at > blank)
            if (auto refusal = sink_.data(std::string_view(buffer_).substr(blank, at - blank))) return refusal;
        buffer_.erase(0, at + delimiter_.size());
        begun_ = false;
        state_ = State::after_delimiter;
        return sink_.end();
    }
    more = false;
    auto sure = buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
    if (sure <= blank) return std::nullopt;
    auto refusal = sink_.data(std::string_view(buffer_).substr(blank, sure - blank));
    buffer_.erase(0, sure);
    begun_ = false;
    return refusal;
}

}  // namespace rootstock::http
