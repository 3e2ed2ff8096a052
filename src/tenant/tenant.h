#pragma once
// tenant: who may ask, and how much. Tenants (customers) and their API keys (here), people (people.h), what a person or
// a key may do (roles.h, scopes.h), and limits by the minute (rate.h).
//
// A key is shown once, when it is made; the database keeps only its SHA-256 and its first eight characters:
//
//   rsk_live_ + 43 characters of 0-9A-Za-z (256 bits from the operating system) + 6 characters: the CRC-32 of the 43
//
// The prefix lets secret scanners find a leaked key, the checksum lets them (and us) dismiss a mistyped one without
// looking anything up (the idea is GitHub's). A plain SHA-256 suffices for a secret of 256 bits (OWASP ASVS 6.5.2).
//
// All functions run inside a store transaction; SQL faults leave them as store::Failure.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"
#include "tenant/attempts.h"
#include "tenant/key_models.h"
#include "tenant/networks.h"
#include "tenant/password.h"
#include "tenant/people.h"
#include "tenant/rate.h"
#include "tenant/roles.h"
#include "tenant/scopes.h"
#include "tenant/second_factor.h"
#include "tenant/sign_up.h"
#include "tenant/totp.h"

namespace rootstock::tenant {

std::vector<store::Migration> migrations();

enum class Status { active, suspended };

struct Tenant {
    TenantId id;
    std::string name;  // unique; 1-63 characters of a-z A-Z 0-9 . _ -, beginning with a letter or digit
    Status status = Status::active;
    Timestamp created;
    Limits limits{};  // of all its keys together
    std::int64_t version = 1;
};

// The house, the company that runs this server, is the tenant without an id: its people and keys act for everybody.
// It has no books, is in no list, and nobody finds it by its name.
inline const TenantId house{};
inline constexpr const char* house_name = "(house)";

// already_exists when the name is taken; invalid_argument for a name of another shape.
Result<Tenant> create(store::Session& session, std::string_view name, Timestamp now);

// By name or by id; not_found, reason "tenant_not_found".
Result<Tenant> find(store::Session& session, std::string_view name_or_id);

std::vector<Tenant> list(store::Session& session);  // by name

// By id, from behind `after` on, at most `limit`; of one tenant only, when one is given.
std::vector<Tenant> list_page(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                              std::int64_t limit);

// Suspended tenants keep their records; their keys are refused.
Result<void> set_status(store::Session& session, const TenantId& tenant, Status status);
const char* name(Status status);

// Of all keys of a tenant together, from the next request on; invalid_argument (check_limits).
Result<Tenant> set_limits(store::Session& session, const TenantId& tenant, const Limits& limits);

// ---- API keys ----

struct ApiKey {
    ApiKeyId id;
    TenantId tenant;
    std::string name;    // free text of the owner, may be empty
    std::string prefix;  // "rsk_live_" and the first 8 secret characters: to tell keys apart, useless to call with
    Timestamp created;
    std::optional<Timestamp> expires;
    std::optional<Timestamp> revoked;
    Limits limits{};
    Scopes scopes{};  // empty: everything under /v1
    std::int64_t version = 1;
    Networks networks{};                          // from where it may call; empty: from everywhere
    std::optional<std::int64_t> last_used_day{};  // days since 1970 UTC
    KeyModels models{};                           // which it may ask; empty: all
};

struct NewKey {
    ApiKey key;
    std::string secret;  // the whole key; exists only here
};

// `expires` must lie after `now` (invalid_argument). A key of the house needs scopes: it has no books to ask models on.
Result<NewKey> create_key(store::Session& session, const TenantId& tenant, std::string_view name,
                          std::optional<Timestamp> expires, Timestamp now, const Limits& limits = {},
                          const Scopes& scopes = {}, const Networks& networks = {}, const KeyModels& models = {});

inline constexpr std::chrono::hours rotation_overlap_max{24};

// A key with the same rights in place of this one, which is refused when the overlap is over. conflict, reason
// "key_state", for one that is refused already.
Result<NewKey> rotate_key(store::Session& session, const ApiKey& key, std::chrono::seconds overlap, Timestamp now);

// What belongs to it elsewhere was changed: a new version.
void mark_key_changed(store::Session& session, const ApiKeyId& key);

void mark_key_used(store::Session& session, const ApiKeyId& key, Timestamp now);

// By id or visible prefix, from the next request on. not_found, reason "key_not_found"; invalid_argument.
Result<ApiKey> set_key_models(store::Session& session, std::string_view id_or_prefix, const KeyModels& models);
Result<ApiKey> set_key_limits(store::Session& session, std::string_view id_or_prefix, const Limits& limits);

std::vector<ApiKey> list_keys(store::Session& session, const TenantId& tenant);  // oldest first

// Of one tenant, or of all and the house; oldest first, from behind `after` on, at most `limit`.
std::vector<ApiKey> list_keys_page(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                   std::int64_t limit);

// By id, of one tenant or of anybody. not_found, reason "key_not_found": a stranger's sounds like none.
Result<ApiKey> key_of(store::Session& session, const std::optional<TenantId>& only, std::string_view id);

// By id or visible prefix. not_found, reason "key_not_found".
Result<ApiKey> find_key(store::Session& session, std::string_view id_or_prefix);

// By id or visible prefix. Revoking twice is fine and keeps the first instant. not_found, reason "key_not_found".
Result<ApiKey> revoke_key(store::Session& session, std::string_view id_or_prefix, Timestamp now);

// Has the text the shape of a key, with a right checksum? Looks nothing up.
bool well_formed(std::string_view presented);

struct Caller {
    TenantId tenant;
    std::string tenant_name;
    ApiKeyId key;
    Limits key_limits{}, tenant_limits{};
    std::shared_ptr<Admission> admission{};  // of the request at hand; null where nothing is limited
    Scopes scopes{};
    std::optional<std::int64_t> last_used_day{};  // before this call
    KeyModels models{};                           // of the key; empty: all
};

// Whose key is it? The sentence is the same for an unknown, expired or mistyped key; the reason is
// "invalid_api_key", or "revoked" for a key that was right once. All are `unauthenticated`; a suspended tenant is
// permission_denied, reason "tenant_suspended". Reads the database every time (tens of microseconds), so that a
// revocation holds with the next request. Takes the same steps for unknown and for known keys. A key that may not call
// from `address` is permission_denied; without an address that is not looked at.
Result<Caller> authenticate(store::Session& session, std::string_view presented, Timestamp now,
                            const std::string& address = {});

inline std::int64_t day_of(Timestamp instant) { return instant.micros / 86'400'000'000; }

}  // namespace rootstock::tenant
