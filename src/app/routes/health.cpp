// GET /healthz: the process lives. GET /readyz: it takes work now. GET /metrics: what it counts.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/routes/routes.h"

namespace rootstock {
namespace {

http::Response plain(std::string body) {
    http::Response response;
    response.body = std::move(body);
    return response;
}

Task<Result<http::Response>> healthz(Exchange&) { co_return plain("{\"status\":\"ok\"}"); }

Task<Result<void>> probe(store::Database& records) { co_return records.probe(); }

Task<Result<http::Response>> readyz(Exchange& exchange) {
    auto& services = exchange.services;
    if (services.draining) co_return fail(ErrorCode::unavailable, "the server is stopping", {}, "stopping");
    // A store in trouble may make the probe wait for the disk: not on this thread.
    auto writable = co_await boost::asio::co_spawn(services.pool, probe(*services.records), boost::asio::use_awaitable);
    if (!writable) co_return fail(writable.error());
    co_return plain("{\"status\":\"ready\"}");
}

Task<Result<http::Response>> metrics(Exchange& exchange) {
    http::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = exchange.services.metrics.text(exchange.services.load());
    co_return response;
}

}  // namespace

void add_health_routes(Routes& routes) {
    routes.add("GET", "/healthz", {Access::open, Body::none, healthz});
    routes.add("GET", "/readyz", {Access::open, Body::none, readyz});
    routes.add("GET", "/metrics", {Access::open, Body::none, metrics});
}

}  // namespace rootstock
