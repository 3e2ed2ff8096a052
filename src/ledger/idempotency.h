#pragma once
// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07, with Stripe's habits): a request seen again is
// answered as before, without a second effect.
//
//   claim    in a transaction before the work          -> run it | replay | running | other_body
//   finish   in the SAME transaction as the effect (post): the answer is kept for 24 hours
//   abandon  when the work failed or was refused: nothing is kept, the key is free again
//
// A run that died leaves its key `running`; after the lease (60 s) the next request with the key may run, since the
// effect is provably absent: it would have finished the record. If the old run turns out to live after all, its
// finish() meets another runner's name and fails with conflict, which undoes its post.

#include <chrono>
#include <cstdint>
#include <string>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

inline constexpr std::size_t idempotency_key_max = 255;
inline constexpr std::chrono::seconds idempotency_lease{60};
inline constexpr std::chrono::hours idempotency_kept{24};

struct IdempotencyKey {
    TenantId tenant;
    std::string route;  // "POST /v1/classify"
    std::string key;    // 1 to 255 characters
};

enum class IdempotencyState { fresh, replay, running, other_body };

struct Idempotency {
    IdempotencyState state = IdempotencyState::fresh;
    int status = 0;                       // replay: the HTTP status and
    std::string body;                     // the body as they were sent
    std::chrono::seconds retry_after{0};  // running: how long the lease still lasts
};

// SHA-256 over the JSON with object keys sorted and no spaces: bodies that mean the same get the same one.
std::string fingerprint(const json::value& body);

// `runner` is the request that wants to run (its id). invalid_argument for a key of wrong length.
Result<Idempotency> claim(store::Session& session, const IdempotencyKey& key, const std::string& fingerprint,
                          const RequestId& runner, Timestamp now);

// conflict, reason "idempotency_lost", when the key is no longer this runner's.
Result<void> finish(store::Session& session, const IdempotencyKey& key, const RequestId& runner, int status,
                    const std::string& body, Timestamp now);

void abandon(store::Session& session, const IdempotencyKey& key, const RequestId& runner);

// At start, with void_abandoned: frees every key whose run died with the program before. Returns how many.
// One server runs on a database at a time; a second one must not call this while the first serves.
std::int64_t free_abandoned_keys(store::Session& session);

// For the sweeper: removes answers kept long enough. Returns how many.
std::int64_t forget_old_keys(store::Session& session, Timestamp now);

}  // namespace rootstock::ledger
