#pragma once
// What a key may spend: an amount in a calendar month (UTC), or in all. A part of its tenant's credit, never more of
// it. Hard: what requests under way may cost counts as spent until they are settled. What was held in one month and is
// settled in the next counts there. A key that another is rotated into shares its budget with it.

#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

enum class BudgetPeriod { month, total };
const char* name(BudgetPeriod period);
std::optional<BudgetPeriod> budget_period(std::string_view name);

struct KeyBudget {
    std::optional<Micros> amount{};  // nothing: no limit
    BudgetPeriod period = BudgetPeriod::month;
    Micros spent{}, held{};  // in the period that runs
};

// Nothing: the key never had one.
std::optional<KeyBudget> key_budget(store::Session& session, const ApiKeyId& key, Timestamp now);

// From the next request on. What was spent is kept, also where the limit is taken away and put back. invalid_argument,
// param "budget", for an amount that is not above zero.
Result<KeyBudget> set_key_budget(store::Session& session, const TenantId& tenant, const ApiKeyId& key,
                                 std::optional<Micros> amount, BudgetPeriod period, Timestamp now);

// `next` spends from what `key` has.
void share_key_budget(store::Session& session, const ApiKeyId& key, const ApiKeyId& next);

// ---- for reservations ----

// Holds the amount on the key's budget, in one statement; returns the budget's id, or nothing ("") where the key has
// none. insufficient_quota, reason "key_budget_used".
Result<std::string> hold_budget(store::Session& session, const ApiKeyId& key, Micros amount, Timestamp now);

// Lets go of what was held and counts what was charged. Does nothing for an empty id.
void settle_budget(store::Session& session, const std::string& budget, Micros held, Micros charged, Timestamp now);

}  // namespace rootstock::ledger
