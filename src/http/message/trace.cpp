#include "http/message/trace.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>

#include "base/base.h"
#include "http/message/list_field.h"

namespace rootstock::http {
namespace {

constexpr std::size_t trace_digits = 32, span_digits = 16, state_members_max = 32, key_max = 256, value_max = 256;
constexpr std::size_t parent_size = 55;  // of version 00: "00-" 32 "-" 16 "-" 2

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

std::string random_id(std::size_t digits) {
    constexpr std::string_view alphabet = "0123456789abcdef";
    std::array<std::uint8_t, trace_digits / 2> bytes{};
    fill_secret_bytes(bytes);
    std::string id;
    for (std::size_t i = 0; i < digits / 2; ++i) id.append({alphabet[bytes[i] >> 4], alphabet[bytes[i] & 15]});
    return is_zero(id) ? random_id(digits) : id;
}

int value_of(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

// Section 3.2 and 4.3: a version we do not know is read as far as we know it.
std::optional<TraceContext> read_parent(std::string_view text) {
    if (text.size() < parent_size || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    const auto version = text.substr(0, 2), trace = text.substr(3, trace_digits), span = text.substr(36, span_digits),
               flags = text.substr(53, 2);
    if (!is_hex(version) || !is_hex(trace) || !is_hex(span) || !is_hex(flags)) return std::nullopt;
    if (version == "ff" || is_zero(trace) || is_zero(span)) return std::nullopt;
    if (text.size() > parent_size && (version == "00" || text[parent_size] != '-')) return std::nullopt;
    const int bits = value_of(flags[0]) * 16 + value_of(flags[1]);
    return TraceContext{std::string(trace), std::string(span), {}, (bits & 1) != 0, (bits & 2) != 0, {}};
}

// "key", or "tenant@system".
bool is_key(std::string_view key) {
    if (key.empty() || key.size() > key_max) return false;
    const bool begins_well = (key[0] >= 'a' && key[0] <= 'z') || (key[0] >= '0' && key[0] <= '9');
    return begins_well && std::all_of(key.begin(), key.end(), [](char c) {
               constexpr std::string_view marks = "_-*/@";
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
           });
}

bool is_value(std::string_view value) {
    return !value.empty() && value.size() <= value_max && std::all_of(value.begin(), value.end(), [](char c) {
        return c >= 0x20 && c <= 0x7e && c != ',' && c != '=';
    });
}

std::optional<TraceContext> given_trace(const Request& request) {
    std::optional<std::string_view> parent;
    for (const auto& header : request.headers) {
        if (!same_name(header.name, "traceparent")) continue;
        if (parent) return std::nullopt;
        parent = header.value;
    }
    return parent ? read_parent(*parent) : std::nullopt;
}

}  // namespace

std::string TraceContext::text() const {
    const int flags = (sampled ? 1 : 0) + (random ? 2 : 0);
    return "00-" + trace + "-" + span + "-0" + std::to_string(flags);
}

TraceContext trace_of(const Request& request) {
    auto given = given_trace(request);
    TraceContext context = given ? std::move(*given) : TraceContext{random_id(trace_digits), {}, {}, false, true, {}};
    context.span = random_id(span_digits);
    if (context.parent.empty()) return context;
    auto state = request.all_of_header("tracestate");
    if (is_tracestate(state)) context.state = std::move(state);
    return context;
}

bool is_tracestate(std::string_view text) {
    const auto members = members_of(text);
    if (members.size() > state_members_max) return false;
    std::set<std::string_view> keys;
    for (auto member : members) {
        const auto equals = member.find('=');
        if (equals == std::string_view::npos) return false;
        if (!is_key(member.substr(0, equals)) || !is_value(member.substr(equals + 1))) return false;
        if (!keys.insert(member.substr(0, equals)).second) return false;
    }
    return true;
}

}  // namespace rootstock::http
