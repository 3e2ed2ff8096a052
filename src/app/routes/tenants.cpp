// /api/v1/tenants: customers, as the house sees them; a customer's people see their own.

#include "app/routes/management.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

json::object limits_of(const tenant::Limits& limits) {
    const auto told = [](const std::optional<std::int64_t>& limit) {
        return limit ? json::value(*limit) : json::value(nullptr);
    };
    return {{"requests_per_minute", told(limits.requests_per_minute)},
            {"tokens_per_minute", told(limits.tokens_per_minute)},
            {"parallel", told(limits.parallel)}};
}

json::object to_json(const tenant::Tenant& tenant) {
    return {{"id", tenant.id.text()},
            {"name", tenant.name},
            {"status", tenant::name(tenant.status)},
            {"limits", limits_of(tenant.limits)},
            {"created_at", to_iso8601(tenant.created)},
            {"version", tenant.version}};
}

Told told_of(const tenant::Tenant& tenant, int status = 200) { return {to_json(tenant), status, tenant.version}; }

Task<Result<http::Response>> list_tenants(Exchange& exchange) {
    auto paging = paging_of(exchange);
    if (!paging) co_return fail(paging.error());
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        auto tenants = tenant::list_page(session, exchange.actor.tenant, paging->after, paging->fetch());
        return page_of(
            *paging, std::move(tenants), [](const tenant::Tenant& tenant) { return to_json(tenant); },
            [](const tenant::Tenant& tenant) { return tenant.id.text(); });
    });
}

Task<Result<http::Response>> get_tenant(Exchange& exchange) {
    co_return look(exchange, [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(found, tenant::find(session, exchange.actor.tenant->text()));
        return told_of(found);
    });
}

Task<Result<http::Response>> make_tenant(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    const auto* plan = body.if_contains("plan");
    const std::string chosen(plan ? std::string_view(plan->as_string()) : std::string_view(ledger::default_plan));
    Work work = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(made, bill::create_tenant(session, std::string(body.at("name").as_string()), chosen,
                                                exchange.services.clock.now()));
        return told_of(made, 201);
    };
    co_return co_await change(exchange, std::move(work));
}

Result<Told> change_tenant(Exchange& exchange, store::Session& session) {
    const auto& body = exchange.body.as_object();
    ROOTSTOCK_TRY(found, tenant::find(session, exchange.actor.tenant->text()));
    ROOTSTOCK_CHECKED(expect_version(exchange, found.version));
    if (const auto* status = body.if_contains("status"))
        ROOTSTOCK_CHECKED(tenant::set_status(session, found.id,
                                             *status == "active" ? tenant::Status::active : tenant::Status::suspended));
    if (const auto* limits = body.if_contains("limits")) {
        const auto& given = limits->as_object();
        ROOTSTOCK_CHECKED(
            tenant::set_limits(session, found.id,
                               {nullable_int(given, "requests_per_minute"), nullable_int(given, "tokens_per_minute"),
                                nullable_int(given, "parallel")}));
    }
    ROOTSTOCK_TRY(changed, tenant::find(session, found.id.text()));
    return told_of(changed);
}

Task<Result<http::Response>> patch_tenant(Exchange& exchange) {
    Work work = [&](store::Session& session) { return change_tenant(exchange, session); };
    co_return co_await change(exchange, std::move(work));
}

}  // namespace

void add_tenants_routes(Routes& routes) {
    routes.add("GET", "/api/v1/tenants", managed(Body::none, list_tenants));
    routes.add("POST", "/api/v1/tenants", managed(Body::json, make_tenant));
    routes.add("GET", "/api/v1/tenants/{tenant}", managed(Body::none, get_tenant));
    routes.add("PATCH", "/api/v1/tenants/{tenant}", managed(Body::json, patch_tenant));
}

}  // namespace rootstock
