#pragma once
// Usage and invoices of a tenant.

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

using InvoiceLine = UsageCharge;

// What a tenant owes for a period. Lines add up to `total` exactly, and `total` equals the transfers on the
// tenant's account; it is rounded once, at the end, to the currency's minor unit (half away from zero).
struct Invoice {
    TenantId tenant;
    std::string currency;
    int decimals = 2;  // of the minor unit
    Period period;
    std::vector<InvoiceLine> lines;
    Micros total;         // exact
    std::string rounded;  // "12.35": what is to be paid
};

// not_found, reason "no_books"; corrupt when events and transfers disagree (run `rootstock ledger verify`).
Result<Invoice> invoice(store::Session& session, const TenantId& tenant, const Period& period);

}  // namespace rootstock::ledger
