#pragma once
// On which terms a request is served: the account it is held on, its prices, and what the plan allows in a period.

#include <string>

#include "ledger/plan.h"
#include "ledger/reservation.h"
#include "store/store.h"

namespace rootstock::ledger {

// Prices are nano-units per million: as a price per unit, micro-units per 10^9.
inline constexpr std::int64_t nano_per = 1'000'000'000;

// One price of a request. What does not depend on the rest of the period is nano x quantity; the rest is rated by the
// period's whole quantity (`rated`), see charge_rated.
struct Slot {
    std::string price{};  // its id; empty: this costs nothing
    Rating rating{};
    bool rated = false;

    Micros nano() const { return {price.empty() ? 0 : rating.tiers.front().nano_per_million}; }
    // What is held for so many units: never less than what they will be charged.
    Result<Micros> most(std::int64_t quantity) const;
};

struct Terms {
    std::string account, plan;
    std::int64_t plan_version = 0;
    Timestamp period_start;  // of the plan's period, for what is counted in it
    Slot input{}, cached{}, output{}, requests{};

    std::int64_t rated_bits() const;  // 1 input, 2 output, 4 requests
    Result<Micros> most(const ReserveRequest& request) const;
};

// not_found, reason "no_books": no subscription, or no price for the model; permission_denied, reason "no_price"
// (output tokens) or "subscription_state" (it is suspended or canceled).
Result<Terms> terms_of(store::Session& session, const ReserveRequest& request, Timestamp now);

// Adds to what a period used at a price; returns what that adds to the period's charge. Over a period these add up to
// rated() of the whole quantity, or to the highest it ever was where a volume price falls; without its minimum and flat
// part, which do not depend on use and are due with the period (charges.h).
Result<Micros> charge_rated(store::Session& session, const TenantId& tenant, const std::string& price, Timestamp period,
                            std::int64_t quantity);

// ---- allowances ----

// Quantities of a request by the bit they are kept under in its reservation.
struct Quantities {
    std::string meter;  // of bit 1; bit 2: output_tokens, bit 4: requests
    std::int64_t input = 0, output = 0, requests = 1;
};
// Holds what the plan limits: insufficient_quota, reason "allowance_used", when a hard allowance does not cover it.
// Returns the bits that are held.
Result<std::int64_t> hold_allowances(store::Session& session, const Terms& terms, const TenantId& tenant,
                                     const Quantities& most);
// Lets go of what was held and counts what was used.
void settle_allowances(store::Session& session, const TenantId& tenant, Timestamp period, std::int64_t bits,
                       const Quantities& most, const Quantities& used);

}  // namespace rootstock::ledger
