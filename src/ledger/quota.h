#pragma once
// What a plan allows in a period, and what of it is used.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "ledger/plan.h"
#include "ledger/subscription.h"
#include "store/store.h"

namespace rootstock::ledger {

struct AllowanceState {
    std::string meter;
    std::int64_t quantity = 0, used = 0, held = 0;
    bool hard = true;
    // Below zero never: of a soft allowance what is beyond it is billed.
    std::int64_t remaining() const { return std::max<std::int64_t>(quantity - used - held, 0); }
};

struct Quota {
    Subscription subscription;
    Period period;  // of the plan, the one that runs
    Balance balance;
    PlanLimits limits;
    std::vector<AllowanceState> allowances;
};

// not_found, reason "no_books".
Result<Quota> quota(store::Session& session, const TenantId& tenant, Timestamp now);

}  // namespace rootstock::ledger
