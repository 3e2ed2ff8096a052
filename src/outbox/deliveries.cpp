#include <algorithm>
#include <array>
#include <set>

#include "outbox/webhooks.h"

namespace rootstock::outbox {
namespace {

using std::chrono::seconds;
constexpr std::array<seconds, 6> waits = {seconds(5),    seconds(60),   seconds(300),
                                          seconds(1800), seconds(7200), seconds(21600)};
constexpr std::size_t error_bytes_max = 300;

Timestamp later(Timestamp now, std::chrono::microseconds by) { return {now.micros + by.count()}; }

constexpr const char* columns =
    "SELECT d.id, d.endpoint_id, d.event_id, e.type, d.tenant_id, d.state, d.attempts, d.next_at, d.last_status, "
    "d.last_error, d.created_at, d.done_at, e.body FROM webhook_delivery d JOIN webhook_event e ON e.id = d.event_id ";

struct Found {
    Delivery delivery;
    std::string body;
};

DeliveryState state_of(std::string_view text) {
    return text == "waiting"     ? DeliveryState::waiting
           : text == "delivered" ? DeliveryState::delivered
                                 : DeliveryState::failed;
}

template <typename... Args>
std::vector<Found> deliveries(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Found> found;
    session.for_each<std::string, std::string, std::string, std::string, TenantId, std::string, std::int64_t, Timestamp,
                     std::optional<std::int64_t>, std::string, Timestamp, std::optional<Timestamp>, std::string>(
        columns + rest,
        [&](auto id, auto endpoint, auto event, auto type, auto tenant, auto state, auto attempts, auto next,
            auto status, auto error, auto created, auto done, auto body) {
            Delivery one{id,       endpoint, event,  type,  tenant,  state_of(state),
                         attempts, {},       status, error, created, done};
            if (one.state == DeliveryState::waiting) one.next = next;
            found.push_back({std::move(one), std::move(body)});
        },
        args...);
    return found;
}

void switch_off(store::Session& session, const std::string& endpoint, const char* why, Timestamp now) {
    session.execute(
        "UPDATE webhook_endpoint SET disabled_at = :now, disabled_why = :why, version = version + 1 "
        "WHERE id = :id AND disabled_at IS NULL",
        now, why, endpoint);
}

bool took_something_since(store::Session& session, const std::string& endpoint, Timestamp since) {
    return session.value<std::int64_t>(
               "SELECT COUNT(*) FROM webhook_delivery WHERE endpoint_id = :endpoint AND state = 'delivered' AND "
               "done_at >= :since",
               endpoint, since) > 0;
}

}  // namespace

const char* name(DeliveryState state) {
    switch (state) {
        case DeliveryState::waiting:
            return "waiting";
        case DeliveryState::delivered:
            return "delivered";
        case DeliveryState::failed:
            return "failed";
    }
    return "failed";
}

void announce(store::Session& session, const TenantId& tenant, std::string_view type, const json::object& data,
              Timestamp now) {
    auto wanting = list_endpoints(session, tenant, "", INT64_MAX);
    if (!tenant.empty())
        for (auto& endpoint : list_endpoints(session, TenantId{}, "", INT64_MAX))
            wanting.push_back(std::move(endpoint));
    std::erase_if(wanting, [&](const Endpoint& endpoint) {
        return !endpoint.events.empty() && std::ranges::find(endpoint.events, type) == endpoint.events.end();
    });
    if (wanting.empty()) return;
    const auto event = mint_id("evt", now);
    const json::object body{{"type", type}, {"timestamp", to_iso8601(now)}, {"tenant", tenant.text()}, {"data", data}};
    session.execute(
        "INSERT INTO webhook_event (id, tenant_id, type, body, created_at) VALUES (:id, :tenant, :type, :body, :now)",
        event, tenant, type, json::serialize(body), now);
    for (const auto& endpoint : wanting)
        session.execute(
            "INSERT INTO webhook_delivery (id, tenant_id, endpoint_id, event_id, state, next_at, since, created_at) "
            "VALUES (:id, :tenant, :endpoint, :event, 'waiting', :next, :since, :created)",
            mint_id("dlv", now), endpoint.tenant, endpoint.id, event, now, now, now);
}

std::vector<Delivery> list_deliveries(store::Session& session, const Endpoint& endpoint, std::string_view after,
                                      std::int64_t limit) {
    std::vector<Delivery> listed;
    for (auto& found : deliveries(
             session,
             "WHERE d.endpoint_id = :endpoint AND (:after = '' OR d.id < :before) ORDER BY d.id DESC LIMIT :limit",
             endpoint.id, after, after, limit))
        listed.push_back(std::move(found.delivery));
    return listed;
}

Result<Delivery> redeliver(store::Session& session, const std::optional<TenantId>& only, std::string_view id,
                           Timestamp now) {
    auto found = deliveries(session, "WHERE (:everybody = 1 OR d.tenant_id = :only) AND d.id = :id", only ? 0 : 1,
                            only.value_or(TenantId{}), id);
    if (found.empty()) return fail(ErrorCode::not_found, "there is no such delivery", "id", "delivery_not_found");
    if (found.front().delivery.state == DeliveryState::waiting)
        return fail(ErrorCode::conflict, "this delivery is waiting: it goes out by itself", {}, "delivery_waiting");
    session.execute(
        "UPDATE webhook_delivery SET state = 'waiting', attempts = 0, next_at = :next, since = :since, done_at = NULL "
        "WHERE id = :id",
        now, now, id);
    return std::move(deliveries(session, "WHERE d.id = :id", id).front().delivery);
}

bool webhooks_due(store::Session& session, Timestamp now) {
    return session
        .first<std::string>("SELECT id FROM webhook_delivery WHERE state = 'waiting' AND next_at <= :now LIMIT 1", now)
        .has_value();
}

std::vector<Parcel> take_due(store::Session& session, std::int64_t limit, std::chrono::seconds lease, Timestamp now) {
    std::vector<Parcel> taken;
    std::set<std::string> busy;
    for (auto& found : deliveries(
             session,
             "JOIN webhook_endpoint p ON p.id = d.endpoint_id AND p.disabled_at IS NULL WHERE d.state = 'waiting' AND "
             "d.next_at <= :now AND NOT EXISTS (SELECT 1 FROM webhook_delivery o WHERE o.endpoint_id = d.endpoint_id "
             "AND o.state = 'waiting' AND o.leased_until > :then) ORDER BY d.next_at, d.id LIMIT :limit",
             now, now, limit * 8)) {
        if (static_cast<std::int64_t>(taken.size()) >= limit || !busy.insert(found.delivery.endpoint).second) continue;
        const auto until = later(now, lease);
        session.execute(
            "UPDATE webhook_delivery SET next_at = :next, leased_until = :until, attempts = attempts + 1 "
            "WHERE id = :id",
            until, until, found.delivery.id);
        ++found.delivery.attempts;
        auto endpoint = find_endpoint(session, std::nullopt, found.delivery.endpoint);
        ROOTSTOCK_CHECK(endpoint.has_value(), "a delivery has its endpoint");
        taken.push_back({std::move(found.delivery), std::move(*endpoint), std::move(found.body)});
    }
    return taken;
}

void record_attempt(store::Session& session, const Delivery& delivery, int status, const std::string& error,
                    Timestamp now) {
    const bool arrived = status / 100 == 2, gone = status == 410;
    auto since = session.first<Timestamp>(
        "SELECT since FROM webhook_delivery WHERE id = :id AND state = 'waiting' AND attempts = :attempt", delivery.id,
        delivery.attempts);
    if (!since) return;  // taken over, begun anew or removed meanwhile
    const auto wait = waits[std::min(static_cast<std::size_t>(delivery.attempts - 1), waits.size() - 1)];
    const bool over = gone || later(now, wait) > later(std::get<0>(*since), delivery_lasts);
    const auto* state = arrived ? "delivered" : over ? "failed" : "waiting";
    const std::optional<Timestamp> done = arrived || over ? std::optional(now) : std::nullopt;
    session.execute(
        "UPDATE webhook_delivery SET state = :state, next_at = :next, leased_until = 0, last_status = :status, "
        "last_error = :error, done_at = :done WHERE id = :id",
        state, later(now, wait), status == 0 ? std::nullopt : std::optional<std::int64_t>(status),
        error.substr(0, error_bytes_max), done, delivery.id);
    if (arrived) return;
    if (gone) switch_off(session, delivery.endpoint, "gone", now);
    if (over && !took_something_since(session, delivery.endpoint, std::get<0>(*since)))
        switch_off(session, delivery.endpoint, "three_days", now);
}

}  // namespace rootstock::outbox
