#include "app/pipeline/envelope.h"

#include <algorithm>
#include <cmath>

#include "app/pipeline/problem.h"

namespace rootstock {
namespace {

constexpr const char* transport_security = "max-age=31536000";
constexpr std::size_t bytes_on_io_thread_max = 32 * 1024;  // larger bodies are packed on the pool

void tell_rate(http::Response& response, const std::string& what, const std::optional<tenant::RateState>& state) {
    if (!state) return;
    response.headers.push_back({"x-ratelimit-limit-" + what, std::to_string(state->limit)});
    response.headers.push_back({"x-ratelimit-remaining-" + what, std::to_string(state->remaining)});
    response.headers.push_back({"x-ratelimit-reset-" + what, duration_text(state->reset_seconds)});
}

void tell_rates(Exchange& exchange) {
    if (!exchange.admission) return;
    tell_rate(exchange.response, "requests", exchange.admission->requests());
    tell_rate(exchange.response, "tokens", exchange.admission->tokens());
}

bool refused_by_limits(const Exchange& exchange, const Error& error) {
    return error.code == ErrorCode::rate_limited && exchange.admission && exchange.admission->retry_seconds() > 0;
}

// A path that nobody serves is refused in the language of its neighbours.
Dialect dialect_of(const Exchange& exchange) {
    if (exchange.route) return exchange.route->endpoint.dialect;
    return exchange.request.path.starts_with("/api/") ? Dialect::details : Dialect::openai;
}

Task<void> pack(Exchange& exchange) {
    auto& response = exchange.response;
    const auto least = exchange.services.settings.answers.gzip_bytes_min;
    if (least == 0 || response.body.size() < least || !http::may_be_packed(response)) co_return;
    http::vary_by(response, "Accept-Encoding");
    if (!http::prefers_gzip(exchange.request.all_of_header("Accept-Encoding"))) co_return;
    std::string packed;
    if (response.body.size() > bytes_on_io_thread_max)
        packed = co_await run_on(exchange.services.pool, [&response] { return http::gzip(response.body); });
    else
        packed = http::gzip(response.body);
    http::pack(response, std::move(packed));
}

bool says_how_to_keep(const http::Response& response) {
    for (const auto& header : response.headers)
        if (http::same_name(header.name, "Cache-Control")) return true;
    return false;
}

const std::string& or_dash(const std::string& text) {
    static const std::string dash = "-";
    return text.empty() ? dash : text;
}

}  // namespace

void mark(http::Response& response, const RequestId& id, const Services& services) {
    response.headers.push_back({"x-request-id", id.text()});
    if (!says_how_to_keep(response)) response.headers.push_back({"Cache-Control", "no-store"});
    response.headers.push_back({"X-Content-Type-Options", "nosniff"});
    if (services.settings.tls) response.headers.push_back({"Strict-Transport-Security", transport_security});
}

void tell_problem(Exchange& exchange, const Error& error) {
    double seconds = exchange.services.seconds_waiting();
    if (refused_by_limits(exchange, error)) seconds = exchange.admission->retry_seconds();
    exchange.response = problem(error, seconds, dialect_of(exchange), {exchange.request.path, exchange.id.text()});
    if (!exchange.allow.empty()) exchange.response.headers.push_back({"Allow", exchange.allow});
    if (refused_by_limits(exchange, error))
        exchange.response.headers.push_back(
            {"retry-after-ms", std::to_string(static_cast<std::int64_t>(std::ceil(seconds * 1000)))});
}

Task<void> seal(Exchange& exchange) {
    mark(exchange.response, exchange.id, exchange.services);
    tell_rates(exchange);
    exchange.response.headers.push_back({"traceresponse", exchange.trace.text()});
    http::allow_origin(exchange.response, exchange.request, exchange.services.settings.answers.cors_origins);
    co_await pack(exchange);
}

std::string duration_text(double seconds) {
    const auto millis = static_cast<std::int64_t>(std::ceil(std::max(seconds, 0.0) * 1000 - 1e-6));
    if (millis == 0) return "0s";
    if (millis < 1000) return std::to_string(millis) + "ms";
    std::string text;
    const auto hours = millis / 3'600'000, minutes = millis / 60'000 % 60;
    if (hours > 0) text += std::to_string(hours) + "h";
    if (hours > 0 || minutes > 0) text += std::to_string(minutes) + "m";
    text += std::to_string(millis / 1000 % 60);
    if (auto rest = millis % 1000; rest > 0) {
        auto digits = std::to_string(1000 + rest).substr(1);
        text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
    }
    return text + "s";
}

void log_access(const Exchange& exchange, double seconds) {
    const bool known = exchange.route != nullptr;
    const auto& trace = exchange.trace;
    spdlog::info(
        "access request={} method={} route={} status={} ms={:.1f} bytes={} tenant={} key={} trace={} span={} "
        "parent={}",
        exchange.id.text(), known ? exchange.request.method : "-", known ? exchange.route->pattern : "-",
        exchange.response.status, seconds * 1e3, exchange.response.body.size(), or_dash(exchange.caller.tenant.text()),
        or_dash(exchange.caller.key.text()), trace.trace, trace.span, or_dash(trace.parent));
}

void log_refusal(const RequestId& id, int status) {
    spdlog::info("access request={} method=- route=- status={}", id.text(), status);
}

}  // namespace rootstock
