#include "app/pipeline/pipeline.h"

#include <algorithm>

#include "app/pipeline/envelope.h"
#include "app/pipeline/problem.h"
#include "app/pipeline/steps.h"

namespace rootstock {
namespace {

constexpr Step ordered[] = {
    {"match", "a path nobody serves is refused before anything is spent on it", match_route},
    {"authenticate", "who asks decides what exists for him; before his body is looked at", authenticate},
    {"authorize", "what api/openapi.yaml says of roles and scopes is held here, for every route alike", authorize},
    {"limit", "who asks too often is told so before anything is read for him", limit},
    {"parse", "malformed, deep or repetitive JSON ends here; routes see values only", parse_body},
    {"validate", "what api/openapi.yaml does not describe never reaches a route", validate},
    {"claim", "a change that was asked for before under the same Idempotency-Key is told again, not made again", claim},
    {"answer", "the route's own work: a journey of flow/, or a look at the records", answer},
};

Task<Result<void>> run_steps(Exchange& exchange) {
    for (const auto& step : ordered) {
        auto done = co_await step.run(exchange);
        if (done) continue;
        if (status_of(done.error()) >= 500)
            spdlog::error("{} {}: {}", exchange.id.text(), step.name, done.error().message);
        co_return done;
    }
    co_return Result<void>{};
}

// Labels of the metrics come from our own route table only: what callers invent must not grow our memory.
void record(const Exchange& exchange, double seconds) {
    const bool known = exchange.route != nullptr;
    exchange.services.metrics.count_request(known ? exchange.request.method : "other",
                                            known ? exchange.route->pattern : "other", exchange.response.status,
                                            seconds);
    log_access(exchange, seconds);
}

// Before anything else: a browser asks without a key whether its page may call at all.
bool answer_preflight(Exchange& exchange) {
    const auto& origins = exchange.services.settings.answers.cors_origins;
    if (origins.empty() || exchange.request.method != "OPTIONS") return false;
    const auto match = exchange.routes.find(exchange.request);
    if (match.allow.empty()) return false;
    auto answer = http::preflight(exchange.request, origins, match.allow);
    if (answer) exchange.response = std::move(*answer);
    return answer.has_value();
}

Task<http::Response> handle(http::Request& request, Services& services, const Routes& routes) {
    Exchange exchange{request, services, routes};
    exchange.id = mint<RequestTag>(services.clock.now());
    exchange.trace = http::trace_of(request);
    if (!answer_preflight(exchange)) {
        auto done = co_await run_steps(exchange);
        if (!done) tell_problem(exchange, done.error());
    }
    co_await seal(exchange);
    record(exchange, monotonic_seconds() - request.received);
    co_return std::move(exchange.response);
}

}  // namespace

std::span<const Step> steps() { return ordered; }

http::Handler make_handler(Services& services, const Routes& routes) {
    return [&services, &routes](http::Request& request) { return handle(request, services, routes); };
}

http::PlanBody make_body_plan(Services& services, const Routes& routes) {
    return [&services, &routes](const http::Request& request) -> std::expected<http::BodyPlan, http::Response> {
        auto head = request;
        const auto* route = routes.find(head).route;
        const auto body = route ? route->endpoint.body : Body::none;
        if (body != Body::form && !(body == Body::picture && is_form(head)))
            return http::BodyPlan{services.settings.http.body_bytes_max, {}};
        // A stranger's half gigabyte is not worth our disk.
        if (auto caller = caller_of(services, head); !caller) {
            auto page = problem(caller.error());
            mark(page, mint<RequestTag>(services.clock.now()), services);
            http::allow_origin(page, head, services.settings.answers.cors_origins);
            services.metrics.count_request(head.method, route->pattern, page.status, 0);
            return std::unexpected(std::move(page));
        }
        if (body == Body::picture) return http::BodyPlan{services.settings.files.picture_bytes_max, {}};
        return http::BodyPlan{services.settings.files.form_bytes_max, services.blobs->incoming()};
    };
}

Task<http::Response> answer_inside(Exchange& exchange) {
    constexpr Step inside[] = {{"match", "", match_route},
                               {"authorize", "", authorize},
                               {"parse", "", parse_body},
                               {"validate", "", validate},
                               {"answer", "", answer}};
    for (const auto& step : inside) {
        auto done = co_await step.run(exchange);
        if (done) continue;
        if (status_of(done.error()) >= 500)
            spdlog::error("{} {}: {}", exchange.id.text(), step.name, done.error().message);
        co_return problem(done.error());
    }
    co_return std::move(exchange.response);
}

http::RefusalPage make_refusal_page(Services& services) {
    return [&services](const http::Refusal& refusal) {
        auto response = problem(refusal);
        const auto id = mint<RequestTag>(services.clock.now());
        mark(response, id, services);
        services.metrics.count_request("other", "refused", refusal.status, 0);
        log_refusal(id, refusal.status);
        return response;
    };
}

}  // namespace rootstock
