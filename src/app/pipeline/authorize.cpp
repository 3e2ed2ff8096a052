// The step "authorize": x-roles, x-scopes and x-subject of api/openapi.yaml, held against who calls.

#include <algorithm>

#include "app/contract/contract.h"
#include "app/pipeline/steps.h"

namespace rootstock {
namespace {

std::unexpected<Error> no_such_tenant() {
    return fail(ErrorCode::not_found, "there is no such tenant", "tenant", "tenant_not_found");
}

std::unexpected<Error> not_for_you(std::string message, const char* reason) {
    return fail(ErrorCode::permission_denied, std::move(message), {}, reason);
}

// Of a key. An operation without scopes is closed to keys.
Result<void> check_scopes(const Operation& operation, const tenant::Scopes& held) {
    if (operation.scopes.empty())
        return not_for_you("this is for people who are signed in, not for keys", "insufficient_scope");
    for (const auto& scope : operation.scopes)
        if (!tenant::holds(held, scope)) return not_for_you("the key lacks the scope " + scope, "insufficient_scope");
    return {};
}

// Which tenant the call names: in its path, else in its query. Empty: none.
Result<std::string> named_tenant(const http::Request& request) {
    if (const auto part = request.path_value("tenant"); !part.empty()) return std::string(part);
    auto fields = http::parse_query(request.query);
    if (!fields) return fail(ErrorCode::invalid_argument, fields.error().sentence);
    for (auto& field : *fields)
        if (field.name == "tenant") return std::move(field.value);
    return std::string();
}

Result<TenantId> look_up(Exchange& exchange, const std::string& named) {
    auto found = exchange.services.records->read([&](store::Session& session) { return tenant::find(session, named); });
    if (found) return found->id;
    if (found.error().code == ErrorCode::not_found) return no_such_tenant();
    return fail(found.error());
}

// What the house may leave open, and what it must say.
Result<std::optional<TenantId>> subject_of_house(Exchange& exchange, const Operation& operation,
                                                 const std::string& named) {
    if (!named.empty()) return look_up(exchange, named);
    if (operation.subject == Subject::house) return tenant::house;
    if (operation.subject == Subject::tenants) return std::nullopt;
    return fail(ErrorCode::invalid_argument, "say with ?tenant= which one is meant", "tenant", "tenant_required");
}

Result<void> let_key_in(Exchange& exchange, const Operation& operation, const std::string& named) {
    const auto& caller = exchange.caller;
    ROOTSTOCK_CHECKED(check_scopes(operation, caller.scopes));
    auto& actor = exchange.actor;
    actor.key = caller.key;
    actor.house = caller.tenant.empty();
    if (actor.house) {
        ROOTSTOCK_TRY(subject, subject_of_house(exchange, operation, named));
        actor.tenant = subject;
        return {};
    }
    if (operation.subject == Subject::house) return not_for_you("this is for the house only", "house_only");
    if (!named.empty() && named != caller.tenant.text() && named != caller.tenant_name) return no_such_tenant();
    actor.tenant = caller.tenant;
    return {};
}

bool allowed(const Operation& operation, tenant::Role role) {
    return std::ranges::find(operation.roles, tenant::name(role)) != operation.roles.end();
}

const tenant::Membership* membership_in(const tenant::SignedIn& person, const TenantId& tenant) {
    for (const auto& membership : person.memberships)
        if (membership.tenant == tenant) return &membership;
    return nullptr;
}

// The membership by which a person without one in the house acts.
Result<const tenant::Membership*> own_membership(const tenant::SignedIn& person, const std::string& named) {
    for (const auto& membership : person.memberships)
        if (!named.empty() && (named == membership.tenant.text() || named == membership.tenant_name))
            return &membership;
    if (!named.empty()) return no_such_tenant();
    if (person.memberships.size() == 1) return &person.memberships.front();
    if (person.memberships.empty()) return not_for_you("you belong to no tenant", "no_membership");
    return fail(ErrorCode::invalid_argument, "you belong to several tenants: say with ?tenant= which one is meant",
                "tenant", "tenant_required");
}

Result<void> admit(Actor& actor, const Operation& operation, tenant::Role role) {
    if (!allowed(operation, role))
        return not_for_you(std::string("your role here, ") + tenant::name(role) + ", does not allow this",
                           "insufficient_role");
    actor.role = role;
    return {};
}

Result<void> let_person_in(Exchange& exchange, const Operation& operation, const std::string& named) {
    const auto& person = *exchange.person;
    auto& actor = exchange.actor;
    actor.person = person.person.id;
    if (operation.subject == Subject::self) return {};
    if (const auto* in_house = membership_in(person, tenant::house)) {
        ROOTSTOCK_TRY(subject, subject_of_house(exchange, operation, named));
        actor.tenant = subject;
        const auto* own = subject && !subject->empty() ? membership_in(person, *subject) : nullptr;
        actor.house = !own || !allowed(operation, own->role);
        return admit(actor, operation, actor.house ? in_house->role : own->role);
    }
    if (operation.subject == Subject::house) return not_for_you("this is for the house only", "house_only");
    ROOTSTOCK_TRY(own, own_membership(person, named));
    actor.tenant = own->tenant;
    return admit(actor, operation, own->role);
}

}  // namespace

Task<Result<void>> authorize(Exchange& exchange) {
    const auto& endpoint = exchange.route->endpoint;
    if (endpoint.access == Access::open) co_return Result<void>{};
    const auto* operation = Contract::built_in().find(exchange.route->method, exchange.route->pattern);
    ROOTSTOCK_CHECK(operation, "a route that api/openapi.yaml does not describe");
    if (endpoint.access == Access::key) co_return check_scopes(*operation, exchange.caller.scopes);
    auto named = named_tenant(exchange.request);
    if (!named) co_return fail(named.error());
    if (exchange.person) co_return let_person_in(exchange, *operation, *named);
    co_return let_key_in(exchange, *operation, *named);
}

}  // namespace rootstock
