#include <openssl/crypto.h>

#include "tenant/secret.h"
#include "tenant/tenant.h"

namespace rootstock::tenant {
namespace {

constexpr std::size_t name_max = 200;
constexpr const char* key_columns =
    "SELECT id, tenant_id, name, prefix, created_at, expires_at, revoked_at FROM api_key ";

using KeyRow = std::tuple<ApiKeyId, TenantId, std::string, std::string, Timestamp, std::optional<Timestamp>,
                          std::optional<Timestamp>>;

ApiKey from_row(KeyRow row) { return std::make_from_tuple<ApiKey>(std::move(row)); }

template <typename... Args>
std::vector<KeyRow> select(store::Session& session, const std::string& where, const Args&... args) {
    return session.query<ApiKeyId, TenantId, std::string, std::string, Timestamp, std::optional<Timestamp>,
                         std::optional<Timestamp>>(key_columns + where, args...);
}

Result<void> check_key(std::string_view name, std::optional<Timestamp> expires, Timestamp now) {
    if (name.size() > name_max)
        return fail(ErrorCode::invalid_argument, "a key's name has at most 200 bytes: shorten it", "name");
    if (expires && *expires <= now)
        return fail(ErrorCode::invalid_argument, "the key would have expired already: choose a later time", "expires");
    return {};
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
    std::string status;
};

std::optional<Known> look_up(store::Session& session, const std::string& hash) {
    auto row = session.first<TenantId, std::string, ApiKeyId, std::string, std::optional<Timestamp>,
                             std::optional<Timestamp>, std::string>(
        "SELECT t.id, t.name, k.id, k.hash, k.expires_at, k.revoked_at, t.status "
        "FROM api_key k JOIN tenant t ON t.id = k.tenant_id WHERE k.hash = :hash",
        hash);
    if (!row) return std::nullopt;
    auto& [tenant, name, key, stored, expires, revoked, status] = *row;
    return Known{{tenant, name, key}, stored, expires, revoked, status};
}

}  // namespace

Result<NewKey> create_key(store::Session& session, const TenantId& tenant, std::string_view name,
                          std::optional<Timestamp> expires, Timestamp now) {
    ROOTSTOCK_CHECKED(check_key(name, expires, now));
    ROOTSTOCK_TRY(owner, find(session, tenant.text()));
    const std::string secret = mint_secret();
    ApiKey key{mint<ApiKeyTag>(now), owner.id, std::string(name), visible_part(secret), now, expires, std::nullopt};
    session.execute(
        "INSERT INTO api_key (id, tenant_id, name, prefix, hash, created_at, expires_at) "
        "VALUES (:id, :tenant, :name, :prefix, :hash, :created, :expires)",
        key.id, key.tenant, key.name, key.prefix, sha256_hex(secret), now, expires);
    return NewKey{std::move(key), secret};
}

std::vector<ApiKey> list_keys(store::Session& session, const TenantId& tenant) {
    std::vector<ApiKey> keys;
    for (KeyRow& row : select(session, "WHERE tenant_id = :tenant ORDER BY id", tenant))
        keys.push_back(from_row(std::move(row)));
    return keys;
}

Result<ApiKey> revoke_key(store::Session& session, std::string_view id_or_prefix, Timestamp now) {
    session.execute("UPDATE api_key SET revoked_at = :now WHERE (id = :id OR prefix = :prefix) AND revoked_at IS NULL",
                    now, id_or_prefix, id_or_prefix);
    auto rows = select(session, "WHERE id = :id OR prefix = :prefix", id_or_prefix, id_or_prefix);
    if (rows.empty())
        return fail(ErrorCode::not_found,
                    "there is no key '" + std::string(id_or_prefix) +
                        "': give the id or prefix that "
                        "`rootstock key list` shows",
                    "key", "key_not_found");
    return from_row(std::move(rows.front()));
}

Result<Caller> authenticate(store::Session& session, std::string_view presented, Timestamp now) {
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
    return known->caller;
}

}  // namespace rootstock::tenant
