#pragma once
// The wallet: grants of credit, given, promised or bought beforehand.
//
//   scheduled -> active -> exhausted | expired | voided
//
// An active grant is booked as credit on the tenant's receivable, so that what may be used is decided by the same one
// statement as ever. What a request is charged is taken from the grants in this order: what was free before what was
// bought, then by priority (lower first), then what expires first, then what was made first. What is left of a grant
// when it expires is a transfer to the account "breakage": it never just disappears.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/period.h"
#include "store/store.h"

namespace rootstock::ledger {

enum class GrantKind { trial, promo, purchased };
const char* name(GrantKind kind);
std::optional<GrantKind> grant_kind(std::string_view name);

struct GrantOrder {
    TenantId tenant{};
    GrantKind kind = GrantKind::promo;
    Micros amount{};
    std::int64_t priority = 100;
    std::optional<Timestamp> effective{};  // nothing: now
    std::optional<Timestamp> expires{};
    std::string source{};  // what it is for, for people: "plan starter", "bank 4711"
};

struct Grant {
    std::string id;
    TenantId tenant;
    GrantKind kind = GrantKind::promo;
    std::string state;  // "scheduled", "active", "exhausted", "expired", "voided"
    std::string currency;
    Micros amount, remaining;
    std::int64_t priority = 100;
    Timestamp effective;
    std::optional<Timestamp> expires{};
    std::string source{};
    Timestamp created;
};

// not_found, reason "no_books"; invalid_argument for an amount of nothing or an end that is past.
Result<Grant> grant(store::Session& session, const GrantOrder& order, Timestamp now);
// What is left of it goes away as when it expires. conflict, reason "grant_state", when it is over already; not_found.
Result<Grant> void_grant(store::Session& session, const std::optional<TenantId>& only, std::string_view id,
                         Timestamp now);

std::vector<Grant> grants(store::Session& session, const TenantId& tenant, std::string_view after, std::int64_t limit);

// What can be used now: active grants in the order in which they burn.
std::vector<Grant> burn_order(store::Session& session, const TenantId& tenant);
// Takes up to `amount` from them for what `ref` names; returns what they covered. For posting only.
Micros burn(store::Session& session, const TenantId& tenant, Micros amount, const std::string& ref_type,
            const std::string& ref, Timestamp now);

// What grants paid for in a period.
Micros credits_used(store::Session& session, const TenantId& tenant, const Period& period);

// Begins and ends what is due; returns how many.
std::int64_t advance_grants(store::Session& session, Timestamp now);

}  // namespace rootstock::ledger
