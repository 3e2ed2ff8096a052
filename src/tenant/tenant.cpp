#include "tenant/tenant.h"

#include <algorithm>

namespace rootstock::tenant {
namespace {

constexpr std::size_t name_max = 63;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Result<void> check_name(std::string_view name) {
    const bool fits =
        !name.empty() && name.size() <= name_max && is_letter_or_digit(name.front()) &&
        std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
    if (fits) return {};
    return fail(ErrorCode::invalid_argument,
                "a tenant's name is 1 to 63 letters, digits, dots, hyphens or underscores and begins with a letter "
                "or digit",
                "name");
}

Status status_of(std::string_view text) { return text == "active" ? Status::active : Status::suspended; }

constexpr const char* columns =
    "SELECT id, name, status, created_at, requests_per_minute, tokens_per_minute, parallel, version FROM tenant ";

using Count = std::optional<std::int64_t>;
using Row = std::tuple<TenantId, std::string, std::string, Timestamp, Count, Count, Count, std::int64_t>;

Tenant from_row(Row row) {
    auto& [id, name, status, created, requests, tokens, parallel, version] = row;
    return {std::move(id), std::move(name), status_of(status), created, {requests, tokens, parallel}, version};
}

template <typename... Args>
std::vector<Tenant> select(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Tenant> tenants;
    for (Row& row : session.query<TenantId, std::string, std::string, Timestamp, Count, Count, Count, std::int64_t>(
             columns + where, args...))
        tenants.push_back(from_row(std::move(row)));
    return tenants;
}

std::unexpected<Error> no_tenant(std::string_view name) {
    return fail(ErrorCode::not_found, "there is no tenant '" + std::string(name) + "': see `rootstock tenant list`",
                "tenant", "tenant_not_found");
}

}  // namespace

const char* name(Status status) { return status == Status::active ? "active" : "suspended"; }

Result<Tenant> create(store::Session& session, std::string_view name, Timestamp now) {
    ROOTSTOCK_CHECKED(check_name(name));
    Tenant tenant{mint<TenantTag>(now), std::string(name), Status::active, now, {}};
    const auto added = session.execute(
        "INSERT INTO tenant (id, name, status, created_at) VALUES (:id, :name, 'active', :created) "
        "ON CONFLICT (name) DO NOTHING",
        tenant.id, tenant.name, now);
    if (added == 0)
        return fail(ErrorCode::already_exists, "there is a tenant '" + tenant.name + "' already: choose another name",
                    "name", "tenant_exists");
    return tenant;
}

Result<Tenant> find(store::Session& session, std::string_view name_or_id) {
    auto found = select(session, "WHERE id <> '' AND (name = :name OR id = :id)", name_or_id, name_or_id);
    if (found.empty()) return no_tenant(name_or_id);
    return std::move(found.front());
}

std::vector<Tenant> list(store::Session& session) { return select(session, "WHERE id <> '' ORDER BY name"); }

std::vector<Tenant> list_page(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                              std::int64_t limit) {
    return select(session, "WHERE id <> '' AND (:everybody = 1 OR id = :only) AND id > :after ORDER BY id LIMIT :limit",
                  only ? 0 : 1, only.value_or(TenantId{}), after, limit);
}

Result<void> set_status(store::Session& session, const TenantId& tenant, Status status) {
    const auto changed =
        session.execute("UPDATE tenant SET status = :status, version = version + 1 WHERE id = :id AND id <> ''",
                        std::string(name(status)), tenant);
    if (changed == 0) return no_tenant(tenant.text());
    return {};
}

Result<Tenant> set_limits(store::Session& session, const TenantId& tenant, const Limits& limits) {
    ROOTSTOCK_CHECKED(check_limits(limits));
    session.execute(
        "UPDATE tenant SET requests_per_minute = :requests, tokens_per_minute = :tokens, parallel = :parallel, "
        "version = version + 1 WHERE id = :id",
        limits.requests_per_minute, limits.tokens_per_minute, limits.parallel, tenant);
    return find(session, tenant.text());
}

}  // namespace rootstock::tenant
