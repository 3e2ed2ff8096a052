#pragma once
// What a period costs: the lines of an invoice before tax, and what the ledger holds of them. Invoices only consume
// them.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "ledger/period.h"
#include "store/store.h"

namespace rootstock::ledger {

// One line of what a period costs. Rounded once, half away from zero, to the currency's minor unit.
struct ChargeLine {
    std::string kind{};         // "fee", "proration", "usage", "commitment", "credit", "discount"
    std::string meter{};        // "input_tokens", ...; empty for what is not measured
    std::string model{};        // the base model; empty: of all, or of none
    std::int64_t quantity = 0;  // of the meter; 1 for a fee
    std::string unit{};         // what one of them is called: "input tokens", "month"
    Period service{};           // when it was used, or what the fee is for
    std::int64_t amount = 0;    // minor units; below zero for what is given back
    std::string currency{};     // ISO 4217
    int decimals = 2;           // of the minor unit
    std::string detail{"{}"};   // a JSON object: how the amount came about
};

// Fees are due at the start of the plan's own period, for the days that the subscription is in it; a change of the plan
// where it happens, as two lines of what is left (subscription.h). Usage is added up by price and rated once
// (rating.h). A commitment tops it up; what grants paid for comes off, and a coupon of what is left, before taxes.
//
// The lines of a tenant's period in a fixed order; two calls over the same rows give the same lines to the byte.
// not_found, reason "no_books".
Result<std::vector<ChargeLine>> charges(store::Session& session, const TenantId& tenant, const Period& period);

// What one model with one adapter used, as it was charged request by request.
struct UsageCharge {
    std::string model, adapter;
    std::int64_t requests = 0, rows = 0, input_tokens = 0, output_tokens = 0;
    Micros amount;  // exact
};
std::vector<UsageCharge> usage_charges(store::Session& session, const TenantId& tenant, const Period& period);

// What the ledger booked for usage of the period: the usage transfers that debit the tenant's accounts.
Micros booked_usage(store::Session& session, const TenantId& tenant, const Period& period);

}  // namespace rootstock::ledger
