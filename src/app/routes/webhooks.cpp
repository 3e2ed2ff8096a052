// /api/v1/webhook-endpoints and /api/v1/webhook-deliveries: who is told of what happens, and whether it was heard.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

json::object to_json(const outbox::Endpoint& endpoint) {
    json::array events;
    for (const auto& event : endpoint.events) events.emplace_back(event);
    return {{"id", endpoint.id},
            {"tenant", endpoint.tenant.text()},
            {"url", endpoint.url},
            {"events", std::move(events)},
            {"created_at", to_iso8601(endpoint.created)},
            {"disabled_at", time_or_null(endpoint.disabled)},
            {"disabled_why", text_or_null(endpoint.disabled_why)},
            {"version", endpoint.version}};
}

json::object to_json(const outbox::Delivery& delivery) {
    return {{"id", delivery.id},
            {"endpoint", delivery.endpoint},
            {"event", delivery.event},
            {"type", delivery.type},
            {"state", outbox::name(delivery.state)},
            {"attempts", delivery.attempts},
            {"next_at", time_or_null(delivery.next)},
            {"last_status", delivery.last_status ? json::value(*delivery.last_status) : json::value(nullptr)},
            {"last_error", text_or_null(delivery.last_error)},
            {"created_at", to_iso8601(delivery.created)},
            {"done_at", time_or_null(delivery.done)}};
}

std::vector<std::string> events_of(const json::object& body) {
    std::vector<std::string> events;
    if (const auto* given = body.if_contains("events"))
        for (const auto& event : given->as_array()) events.emplace_back(event.as_string());
    return events;
}

// With the secret, which is told this once.
Told told_with_secret(const Exchange& exchange, const outbox::Endpoint& endpoint) {
    Told told{to_json(endpoint), 201, endpoint.version};
    told.body["secret"] = nullptr;
    told.replay = told.body;
    told.body["secret"] = outbox::secret_of(*exchange.services.vault, endpoint.id, endpoint.generation);
    return told;
}

Result<outbox::Endpoint> meant(Exchange& exchange, store::Session& session) {
    return outbox::find_endpoint(session, exchange.actor.tenant, exchange.request.path_value("id"));
}

Task<Result<http::Response>> list(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto endpoints = outbox::list_endpoints(session, exchange.actor.tenant, paging->after, paging->fetch());
        return page_of(
            *paging, std::move(endpoints), [](const outbox::Endpoint& endpoint) { return to_json(endpoint); },
            [](const outbox::Endpoint& endpoint) { return endpoint.id; });
    });
}

Task<Result<http::Response>> get(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(endpoint, meant(exchange, session));
        return Told{to_json(endpoint), 200, endpoint.version};
    });
}

Task<Result<http::Response>> make(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    const std::string url(body.at("url").as_string());
    auto fine = outbox::check_endpoint_url(url, exchange.services.settings.outside.courier.webhooks);
    if (!fine) co_return fail(fine.error());
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(made, outbox::add_endpoint(session, *exchange.actor.tenant, url, events_of(body),
                                                 exchange.services.clock.now()));
        return told_with_secret(exchange, made);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> patch(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(endpoint, meant(exchange, session));
        ROOTSTOCK_CHECKED(expect_version(exchange, endpoint.version));
        if (const auto* url = body.if_contains("url")) endpoint.url = url->as_string();
        ROOTSTOCK_CHECKED(
            outbox::check_endpoint_url(endpoint.url, exchange.services.settings.outside.courier.webhooks));
        if (body.contains("events")) endpoint.events = events_of(body);
        if (const auto* enabled = body.if_contains("enabled")) {
            if (enabled->as_bool()) endpoint.disabled.reset();
            if (!enabled->as_bool() && !endpoint.disabled) {
                endpoint.disabled = exchange.services.clock.now();
                endpoint.disabled_why = "by_hand";
            }
        }
        ROOTSTOCK_TRY(changed, outbox::change_endpoint(session, endpoint));
        return Told{to_json(changed), 200, changed.version};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> remove(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(endpoint, meant(exchange, session));
        ROOTSTOCK_CHECKED(expect_version(exchange, endpoint.version));
        outbox::remove_endpoint(session, endpoint);
        return Told{to_json(endpoint)};
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> rotate(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(endpoint, meant(exchange, session));
        ROOTSTOCK_CHECKED(expect_version(exchange, endpoint.version));
        ROOTSTOCK_TRY(rotated, outbox::rotate_secret(session, endpoint, exchange.services.clock.now()));
        return told_with_secret(exchange, rotated);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> list_deliveries(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(endpoint, meant(exchange, session));
        auto deliveries = outbox::list_deliveries(session, endpoint, paging->after, paging->fetch());
        return page_of(
            *paging, std::move(deliveries), [](const outbox::Delivery& delivery) { return to_json(delivery); },
            [](const outbox::Delivery& delivery) { return delivery.id; });
    });
}

Task<Result<http::Response>> redeliver(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(delivery, outbox::redeliver(session, exchange.actor.tenant, exchange.request.path_value("id"),
                                                  exchange.services.clock.now()));
        return Told{to_json(delivery)};
    };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_webhooks_routes(Routes& routes) {
    routes.add("GET", "/api/v1/webhook-endpoints", managed(Body::none, list));
    routes.add("POST", "/api/v1/webhook-endpoints", managed(Body::json, make));
    routes.add("GET", "/api/v1/webhook-endpoints/{id}", managed(Body::none, get));
    routes.add("PATCH", "/api/v1/webhook-endpoints/{id}", managed(Body::json, patch));
    routes.add("DELETE", "/api/v1/webhook-endpoints/{id}", managed(Body::none, remove));
    routes.add("POST", "/api/v1/webhook-endpoints/{id}/rotate", managed(Body::none, rotate));
    routes.add("GET", "/api/v1/webhook-endpoints/{id}/deliveries", managed(Body::none, list_deliveries));
    routes.add("POST", "/api/v1/webhook-deliveries/{id}/redeliver", managed(Body::none, redeliver));
}

}  // namespace rootstock
