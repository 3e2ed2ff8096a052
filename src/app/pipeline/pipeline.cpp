#include "app/pipeline/pipeline.h"

#include <algorithm>

#include "app/pipeline/problem.h"
#include "app/pipeline/steps.h"

namespace rootstock {
namespace {

constexpr Step ordered[] = {
    {"match", "a path nobody serves is refused before anything is spent on it", match_route},
    {"authenticate", "who asks decides what exists for him; before his body is looked at", authenticate},
    {"parse", "malformed, deep or repetitive JSON ends here; routes see values only", parse_body},
    {"validate", "what api/openapi.yaml does not describe never reaches a route", validate},
    {"answer", "the route's own work: a journey of flow/, or a look at the records", answer},
};

// Every answer says which request it belongs to, and that it is nobody else's.
void mark(http::Response& response, const RequestId& id) {
    response.headers.push_back({"x-request-id", id.text()});
    response.headers.push_back({"Cache-Control", "no-store"});
    response.headers.push_back({"X-Content-Type-Options", "nosniff"});
}

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
void record(const Exchange& exchange) {
    bool known = exchange.route != nullptr;
    double seconds = monotonic_seconds() - exchange.request.received;
    exchange.services.metrics.count_request(known ? exchange.request.method : "other",
                                            known ? exchange.route->pattern : "other", exchange.response.status,
                                            seconds);
    spdlog::info("{} {} {} {} {:.1f} ms {}", exchange.id.text(), known ? exchange.request.method : "-",
                 known ? exchange.route->pattern : "-", exchange.response.status, seconds * 1e3,
                 exchange.caller.key.text());
}

Task<http::Response> handle(http::Request& request, Services& services, const Routes& routes) {
    Exchange exchange{request, services, routes};
    exchange.id = mint<RequestTag>(services.clock.now());
    auto done = co_await run_steps(exchange);
    if (!done) {
        const auto dialect = exchange.route ? exchange.route->endpoint.dialect : Dialect::openai;
        exchange.response = problem(done.error(), services.seconds_waiting(), dialect);
        if (!exchange.allow.empty()) exchange.response.headers.push_back({"Allow", exchange.allow});
    }
    mark(exchange.response, exchange.id);
    record(exchange);
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
            mark(page, mint<RequestTag>(services.clock.now()));
            services.metrics.count_request(head.method, route->pattern, page.status, 0);
            return std::unexpected(std::move(page));
        }
        if (body == Body::picture) return http::BodyPlan{services.settings.files.picture_bytes_max, {}};
        return http::BodyPlan{services.settings.files.form_bytes_max, services.blobs->incoming()};
    };
}

Task<http::Response> answer_inside(Exchange& exchange) {
    constexpr Step inside[] = {
        {"match", "", match_route}, {"parse", "", parse_body}, {"validate", "", validate}, {"answer", "", answer}};
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
        mark(response, mint<RequestTag>(services.clock.now()));
        services.metrics.count_request("other", "refused", refusal.status, 0);
        return response;
    };
}

}  // namespace rootstock
