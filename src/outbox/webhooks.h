#pragma once
// Webhooks out, as Standard Webhooks 1.0 has them: a POST of JSON with
//
//   webhook-id: evt_...                the event; the same in every repetition
//   webhook-timestamp: 1795000000      of this attempt, in seconds
//   webhook-signature: v1,BASE64       HMAC-SHA-256 over "id.timestamp.body"; two, with a blank between, while a secret
//                                      is being changed
//
// A delivery that is not answered with 2xx is tried again after 5 s, 1 min, 5 min, 30 min, 2 h and then every 6 h,
// until three days after its event; then it has failed, and an endpoint that took nothing since is switched off. 410
// switches it off at once. Redelivery begins the three days anew. The order of events is not kept.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "http/http.h"
#include "outbox/vault.h"
#include "store/store.h"

namespace rootstock::outbox {

inline constexpr std::chrono::hours delivery_lasts{72};
inline constexpr std::chrono::hours secret_overlap{24};
inline constexpr std::size_t url_bytes_max = 2048;
inline constexpr std::int64_t endpoints_max = 20;  // of one tenant

// ---- events ----

// Tells everybody who wants to know that something happened to this tenant: "invoice.paid", {"id": ...}. To be called
// in the transaction of the effect. Endpoints of the house hear of all tenants.
void announce(store::Session& session, const TenantId& tenant, std::string_view type, const json::object& data,
              Timestamp now);

// ---- endpoints ----

struct Endpoint {
    std::string id;
    TenantId tenant;
    std::string url;
    std::vector<std::string> events;  // types it wants; none: all
    std::int64_t generation = 1;      // of its secret
    std::optional<Timestamp> previous_until{};
    Timestamp created;
    std::optional<Timestamp> disabled{};
    std::string disabled_why{};  // "by_hand", "three_days", "gone"
    std::int64_t version = 1;
};

// invalid_argument, param "url": no https address (http only to an address that `rule` allows by name), credentials in
// it, too long; reason "address_refused": an address that is not public. Names are looked at when something is sent.
Result<void> check_endpoint_url(const std::string& url, const http::AddressRule& rule);

// conflict, reason "too_many", beyond endpoints_max; invalid_argument, param "events".
Result<Endpoint> add_endpoint(store::Session& session, const TenantId& tenant, const std::string& url,
                              const std::vector<std::string>& events, Timestamp now);
std::vector<Endpoint> list_endpoints(store::Session& session, const std::optional<TenantId>& only,
                                     std::string_view after, std::int64_t limit);
// not_found, reason "endpoint_not_found": a stranger's sounds like none.
Result<Endpoint> find_endpoint(store::Session& session, const std::optional<TenantId>& only, std::string_view id);
// Writes url, events and disabled as they stand in `endpoint`. Switched on again it goes on with what still waits.
Result<Endpoint> change_endpoint(store::Session& session, const Endpoint& endpoint);
void remove_endpoint(store::Session& session, const Endpoint& endpoint);  // with its deliveries
// The secret before holds beside the new one for secret_overlap.
Result<Endpoint> rotate_secret(store::Session& session, const Endpoint& endpoint, Timestamp now);

// "whsec_" and 32 bytes in Base64, as receivers' libraries take it.
std::string secret_of(const Vault& vault, const std::string& endpoint, std::int64_t generation);
// The value of webhook-signature.
std::string signature_of(const Vault& vault, const Endpoint& endpoint, std::string_view event, Timestamp at,
                         std::string_view body);

// ---- deliveries ----

enum class DeliveryState { waiting, delivered, failed };
const char* name(DeliveryState state);

struct Delivery {
    std::string id, endpoint, event, type;
    TenantId tenant;
    DeliveryState state = DeliveryState::waiting;
    std::int64_t attempts = 0;
    std::optional<Timestamp> next{};  // while it waits
    std::optional<std::int64_t> last_status{};
    std::string last_error{};
    Timestamp created;
    std::optional<Timestamp> done{};
};
std::vector<Delivery> list_deliveries(store::Session& session, const Endpoint& endpoint, std::string_view after,
                                      std::int64_t limit);
// not_found, reason "delivery_not_found"; conflict, reason "delivery_waiting", while it is on its way anyway.
Result<Delivery> redeliver(store::Session& session, const std::optional<TenantId>& only, std::string_view id,
                           Timestamp now);

// For the sender. What is due of endpoints that are on, at most one of each; taken for `lease`, after which it is due
// again if nobody wrote down how it went.
struct Parcel {
    Delivery delivery;
    Endpoint endpoint;
    std::string body;
};
bool webhooks_due(store::Session& session, Timestamp now);  // perhaps: a look that writes nothing
std::vector<Parcel> take_due(store::Session& session, std::int64_t limit, std::chrono::seconds lease, Timestamp now);
// `status` 0: no answer; `error` says why then. Which attempt it was tells apart what was taken over meanwhile.
void record_attempt(store::Session& session, const Delivery& delivery, int status, const std::string& error,
                    Timestamp now);

}  // namespace rootstock::outbox
