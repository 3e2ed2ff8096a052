// /api/v1/subscriptions: which plan a customer is on. What costs the house something, only the house does: a new
// subscription, a change of the plan, letting a suspended one go on.

#include "app/routes/management.h"
#include "app/routes/routes.h"
#include "app/routes/subscription_json.h"

namespace rootstock {
namespace {

using ledger::Subscription;

Timestamp now_of(Exchange& exchange) { return exchange.services.clock.now(); }

Result<Subscription> find(Exchange& exchange, store::Session& session) {
    const auto& only = exchange.actor.tenant;
    const bool everybody = !only || *only == tenant::house;
    return ledger::find_subscription(session, everybody ? std::nullopt : only, exchange.request.path_value("id"));
}

std::string text_of(const json::object& body, std::string_view key, std::string fallback = {}) {
    const auto* value = body.if_contains(key);
    return value ? std::string(value->as_string()) : fallback;
}

bool flag_of(const json::object& body, std::string_view key, bool fallback) {
    const auto* value = body.if_contains(key);
    return value ? value->as_bool() : fallback;
}

Told told_of(Exchange& exchange, const Subscription& one, int status = 200) {
    return {to_json(one, now_of(exchange)), status, one.version};
}

// A change of what {id} names, of the version that was seen.
using Step = Result<Subscription> (*)(Exchange&, store::Session&, const Subscription&);

Task<Result<http::Response>> step(Exchange& exchange, Step take) {
    Work work = [&exchange, take](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(one, find(exchange, session));
        ROOTSTOCK_CHECKED(expect_version(exchange, one.version));
        ROOTSTOCK_TRY(changed, take(exchange, session, one));
        return told_of(exchange, changed);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> list_subscriptions(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        return page_of(
            *paging, ledger::subscriptions(session, exchange.actor.tenant, paging->after, paging->fetch()),
            [&](const Subscription& one) { return to_json(one, now_of(exchange)); },
            [](const Subscription& one) { return one.id; });
    });
}

Task<Result<http::Response>> get_subscription(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(one, find(exchange, session));
        return told_of(exchange, one);
    });
}

Task<Result<http::Response>> make_subscription(Exchange& exchange) {
    Work work = [&](store::Session& session) -> Result<Told> {
        const auto& body = exchange.body.as_object();
        ROOTSTOCK_TRY(found, tenant::find(session, text_of(body, "tenant")));
        ROOTSTOCK_TRY(one, ledger::subscribe(session,
                                             {.tenant = found.id,
                                              .plan = text_of(body, "plan"),
                                              .timezone = text_of(body, "timezone", "UTC"),
                                              .calendar = flag_of(body, "calendar", false),
                                              .payable = flag_of(body, "payable", true)},
                                             now_of(exchange)));
        return told_of(exchange, one, 201);
    };
    co_return co_await change(exchange, std::move(work));
}

Task<Result<http::Response>> preview_subscription(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(one, find(exchange, session));
        ROOTSTOCK_TRY(
            change, ledger::preview_change(session, one, text_of(exchange.body.as_object(), "plan"), now_of(exchange)));
        return Told{to_json(change)};
    });
}

Result<Subscription> change_it(Exchange& exchange, store::Session& session, const Subscription& one) {
    return ledger::change_plan(session, one, text_of(exchange.body.as_object(), "plan"), now_of(exchange));
}

Result<Subscription> cancel_it(Exchange& exchange, store::Session& session, const Subscription& one) {
    return ledger::cancel(session, one, flag_of(exchange.body.as_object(), "at_once", false), now_of(exchange));
}

Result<Subscription> resume_it(Exchange& exchange, store::Session& session, const Subscription& one) {
    if (one.state == ledger::SubscriptionState::suspended && !exchange.actor.house)
        return fail(ErrorCode::permission_denied,
                    "this subscription is suspended: settle your balance, or ask your provider", {}, "house_only");
    return ledger::resume(session, one, now_of(exchange));
}

Task<Result<http::Response>> change_subscription(Exchange& exchange) { co_return co_await step(exchange, change_it); }
Task<Result<http::Response>> cancel_subscription(Exchange& exchange) { co_return co_await step(exchange, cancel_it); }
Task<Result<http::Response>> resume_subscription(Exchange& exchange) { co_return co_await step(exchange, resume_it); }

}  // namespace

void add_subscriptions_routes(Routes& routes) {
    routes.add("GET", "/api/v1/subscriptions", managed(Body::none, list_subscriptions));
    routes.add("POST", "/api/v1/subscriptions", managed(Body::json, make_subscription));
    routes.add("GET", "/api/v1/subscriptions/{id}", managed(Body::none, get_subscription));
    routes.add("POST", "/api/v1/subscriptions/{id}/preview", managed(Body::json, preview_subscription));
    routes.add("POST", "/api/v1/subscriptions/{id}/change", managed(Body::json, change_subscription));
    routes.add("POST", "/api/v1/subscriptions/{id}/cancel", managed(Body::json, cancel_subscription));
    routes.add("POST", "/api/v1/subscriptions/{id}/resume", managed(Body::none, resume_subscription));
}

}  // namespace rootstock
