#pragma once
// What a tenant used: by day, and as the statement of a period.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/charges.h"
#include "ledger/period.h"
#include "store/store.h"

namespace rootstock::ledger {

// Everything answered on one UTC day with one model and adapter.
struct UsageLine {
    std::string day;  // "2026-11-23"
    std::string model, adapter;
    std::int64_t requests = 0, rows = 0, input_tokens = 0, output_tokens = 0, compute_micros = 0;
    Micros amount;
};

// By day, model, adapter.
std::vector<UsageLine> usage(store::Session& session, const TenantId& tenant, const Period& period);

// What a tenant used in a period, to the millionth: lines add up to `total` exactly, and `total` equals the transfers
// on the tenant's account. An invoice rounds each of its lines to the currency's minor unit (charges.h).
struct Statement {
    TenantId tenant;
    std::string currency;
    int decimals = 2;  // of the minor unit
    Period period;
    std::vector<UsageCharge> lines;
    Micros total;         // exact
    std::string rounded;  // "12.35": the total, half away from zero
};

// not_found, reason "no_books"; corrupt when events and transfers disagree (run `rootstock ledger verify`).
Result<Statement> statement(store::Session& session, const TenantId& tenant, const Period& period);

// What usage rows and transfers both say was used; corrupt, reason "ledger_mismatch", when they do not.
Result<Micros> agreed_usage(store::Session& session, const TenantId& tenant, const Period& period);

}  // namespace rootstock::ledger
