#include <openssl/crypto.h>

#include <algorithm>

#include "tenant/secret.h"
#include "tenant/tenant.h"

namespace rootstock::tenant {
namespace {

constexpr std::size_t name_max = 200;
constexpr const char* key_columns =
    "SELECT id, tenant_id, name, prefix, created_at, expires_at, revoked_at, requests_per_minute, tokens_per_minute, "
    "parallel, scopes, version, networks, last_used_day, models FROM api_key ";

using Count = std::optional<std::int64_t>;
using KeyRow = std::tuple<ApiKeyId, TenantId, std::string, std::string, Timestamp, std::optional<Timestamp>,
                          std::optional<Timestamp>, Count, Count, Count, std::string, std::int64_t, std::string, Count,
                          std::string>;

ApiKey from_row(KeyRow row) {
    auto& [id, tenant, name, prefix, created, expires, revoked, requests, tokens, parallel, scopes, version, networks,
           used, models] = row;
    return {std::move(id),
            std::move(tenant),
            std::move(name),
            std::move(prefix),
            created,
            expires,
            revoked,
            {requests, tokens, parallel},
            split_scopes(scopes),
            version,
            split_scopes(networks),
            used,
            split_scopes(models)};
}

template <typename... Args>
std::vector<KeyRow> select(store::Session& session, const std::string& where, const Args&... args) {
    return session.query<ApiKeyId, TenantId, std::string, std::string, Timestamp, std::optional<Timestamp>,
                         std::optional<Timestamp>, Count, Count, Count, std::string, std::int64_t, std::string, Count,
                         std::string>(key_columns + where, args...);
}

Result<void> check_key(std::string_view name, std::optional<Timestamp> expires, Timestamp now) {
    if (name.size() > name_max)
        return fail(ErrorCode::invalid_argument, "a key's name has at most 200 bytes: shorten it", "name");
    if (expires && *expires <= now)
        return fail(ErrorCode::invalid_argument, "the key would have expired already: choose a later time", "expires");
    return {};
}

// The house has no books, so that its keys may not ask models.
Result<void> check_owner(store::Session& session, const TenantId& tenant, const Scopes& scopes) {
    if (!tenant.empty()) {
        ROOTSTOCK_CHECKED(find(session, tenant.text()));
        return {};
    }
    const bool manages = std::ranges::all_of(scopes, [](const auto& scope) { return scope.contains(':'); });
    if (!scopes.empty() && manages) return {};
    return fail(ErrorCode::invalid_argument,
                "a key of the house needs scopes of the management API, such as tenants:read", "scopes");
}

std::unexpected<Error> refused(const char* reason) {
    return fail(ErrorCode::unauthenticated,
                "this API key is not valid: send a key made with `rootstock key create` as 'Authorization: Bearer KEY'",
                {}, reason);
}

bool same(const std::string& a, const std::string& b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Known {
    Caller caller;
    std::string hash;
    std::optional<Timestamp> expires, revoked;
    std::string status, networks;
};

std::optional<Known> look_up(store::Session& session, const std::string& hash) {
    auto row =
        session
            .first<TenantId, std::string, ApiKeyId, std::string, std::optional<Timestamp>, std::optional<Timestamp>,
                   std::string, Count, Count, Count, Count, Count, Count, std::string, std::string, Count, std::string>(
                "SELECT t.id, t.name, k.id, k.hash, k.expires_at, k.revoked_at, t.status, k.requests_per_minute, "
                "k.tokens_per_minute, k.parallel, t.requests_per_minute, t.tokens_per_minute, t.parallel, "
                "k.scopes, k.networks, k.last_used_day, k.models FROM api_key k JOIN tenant t ON t.id = k.tenant_id "
                "WHERE k.hash = :hash",
                hash);
    if (!row) return std::nullopt;
    auto& [tenant, name, key, stored, expires, revoked, status, requests, tokens, parallel, all_requests, all_tokens,
           all_parallel, scopes, networks, used, models] = *row;
    return Known{{tenant,
                  name,
                  key,
                  {requests, tokens, parallel},
                  {all_requests, all_tokens, all_parallel},
                  nullptr,
                  split_scopes(scopes),
                  used,
                  split_scopes(models)},
                 stored,
                 expires,
                 revoked,
                 status,
                 networks};
}

}  // namespace

Result<NewKey> create_key(store::Session& session, const TenantId& tenant, std::string_view name,
                          std::optional<Timestamp> expires, Timestamp now, const Limits& limits, const Scopes& scopes,
                          const Networks& networks, const KeyModels& models) {
    ROOTSTOCK_CHECKED(check_key(name, expires, now));
    ROOTSTOCK_CHECKED(check_limits(limits));
    ROOTSTOCK_TRY(stored, join_scopes(scopes));
    ROOTSTOCK_TRY(ranges, join_networks(networks));
    ROOTSTOCK_TRY(names, join_models(models));
    ROOTSTOCK_CHECKED(check_owner(session, tenant, scopes));
    const std::string secret = mint_secret();
    ApiKey key{mint<ApiKeyTag>(now),
               tenant,
               std::string(name),
               visible_part(secret),
               now,
               expires,
               std::nullopt,
               limits,
               split_scopes(stored),
               1,
               split_scopes(ranges),
               std::nullopt,
               split_scopes(names)};
    session.execute(
        "INSERT INTO api_key (id, tenant_id, name, prefix, hash, created_at, expires_at, requests_per_minute, "
        "tokens_per_minute, parallel, scopes, networks, models) "
        "VALUES (:id, :tenant, :name, :prefix, :hash, :created, :expires, :requests, :tokens, :parallel, :scopes, "
        ":networks, :models)",
        key.id, key.tenant, key.name, key.prefix, sha256_hex(secret), now, expires, limits.requests_per_minute,
        limits.tokens_per_minute, limits.parallel, stored, ranges, names);
    return NewKey{std::move(key), secret};
}

std::vector<ApiKey> list_keys(store::Session& session, const TenantId& tenant) {
    std::vector<ApiKey> keys;
    for (KeyRow& row : select(session, "WHERE tenant_id = :tenant ORDER BY id", tenant))
        keys.push_back(from_row(std::move(row)));
    return keys;
}

std::vector<ApiKey> list_keys_page(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                   std::int64_t limit) {
    std::vector<ApiKey> keys;
    for (KeyRow& row :
         select(session, "WHERE (:everybody = 1 OR tenant_id = :only) AND id > :after ORDER BY id LIMIT :limit",
                only ? 0 : 1, only.value_or(TenantId{}), after, limit))
        keys.push_back(from_row(std::move(row)));
    return keys;
}

Result<ApiKey> key_of(store::Session& session, const std::optional<TenantId>& only, std::string_view id) {
    auto rows = select(session, "WHERE id = :id AND (:everybody = 1 OR tenant_id = :only)", id, only ? 0 : 1,
                       only.value_or(TenantId{}));
    if (rows.empty()) return fail(ErrorCode::not_found, "there is no such key", "id", "key_not_found");
    return from_row(std::move(rows.front()));
}

Result<ApiKey> find_key(store::Session& session, std::string_view id_or_prefix) {
    auto rows = select(session, "WHERE id = :id OR prefix = :prefix", id_or_prefix, id_or_prefix);
    if (rows.empty())
        return fail(ErrorCode::not_found,
                    "there is no key '" + std::string(id_or_prefix) +
                        "': give the id or prefix that "
                        "`rootstock key list` shows",
                    "key", "key_not_found");
    return from_row(std::move(rows.front()));
}

Result<ApiKey> revoke_key(store::Session& session, std::string_view id_or_prefix, Timestamp now) {
    session.execute(
        "UPDATE api_key SET revoked_at = :now, version = version + 1 WHERE (id = :id OR prefix = :prefix) AND "
        "revoked_at IS NULL",
        now, id_or_prefix, id_or_prefix);
    return find_key(session, id_or_prefix);
}

Result<ApiKey> set_key_models(store::Session& session, std::string_view id_or_prefix, const KeyModels& models) {
    ROOTSTOCK_TRY(names, join_models(models));
    session.execute("UPDATE api_key SET models = :models, version = version + 1 WHERE id = :id OR prefix = :prefix",
                    names, id_or_prefix, id_or_prefix);
    return find_key(session, id_or_prefix);
}

Result<ApiKey> set_key_limits(store::Session& session, std::string_view id_or_prefix, const Limits& limits) {
    ROOTSTOCK_CHECKED(check_limits(limits));
    session.execute(
        "UPDATE api_key SET requests_per_minute = :requests, tokens_per_minute = :tokens, parallel = :parallel, "
        "version = version + 1 WHERE id = :id OR prefix = :prefix",
        limits.requests_per_minute, limits.tokens_per_minute, limits.parallel, id_or_prefix, id_or_prefix);
    return find_key(session, id_or_prefix);
}

Result<NewKey> rotate_key(store::Session& session, const ApiKey& key, std::chrono::seconds overlap, Timestamp now) {
    if (key.revoked || (key.expires && *key.expires <= now))
        return fail(ErrorCode::conflict, "this key is refused already: make a new one", "id", "key_state");
    ROOTSTOCK_CHECK(overlap >= std::chrono::seconds(0) && overlap <= rotation_overlap_max,
                    "an overlap of another length");
    ROOTSTOCK_TRY(made, create_key(session, key.tenant, key.name, key.expires, now, key.limits, key.scopes,
                                   key.networks, key.models));
    session.execute("UPDATE api_key SET rotated_from = :old WHERE id = :id", key.id, made.key.id);
    const Timestamp end{now.micros + std::chrono::microseconds(overlap).count()};
    session.execute(
        "UPDATE api_key SET expires_at = :end, version = version + 1 "
        "WHERE id = :id AND (expires_at IS NULL OR expires_at > :later)",
        end, key.id, end);
    return std::move(made);
}

void mark_key_changed(store::Session& session, const ApiKeyId& key) {
    session.execute("UPDATE api_key SET version = version + 1 WHERE id = :id", key);
}

void mark_key_used(store::Session& session, const ApiKeyId& key, Timestamp now) {
    session.execute("UPDATE api_key SET last_used_day = :day WHERE id = :id", day_of(now), key);
}

Result<Caller> authenticate(store::Session& session, std::string_view presented, Timestamp now,
                            const std::string& address) {
    if (!well_formed(presented)) return refused("invalid_api_key");
    const std::string hash = sha256_hex(presented);
    const auto known = look_up(session, hash);
    const bool right = same(known ? known->hash : std::string(hash.size(), '0'), hash);
    if (!right) return refused("invalid_api_key");
    if (known->revoked) return refused("revoked");
    if (known->expires && *known->expires <= now) return refused("invalid_api_key");
    if (known->status != "active")
        return fail(ErrorCode::permission_denied, "this account is suspended: ask your provider", {},
                    "tenant_suspended");
    if (!address.empty() && !within(known->networks, address))
        return fail(ErrorCode::permission_denied, "this key may not call from this address");
    return known->caller;
}

}  // namespace rootstock::tenant
