#pragma once
// Journeys around the bill that need both who (tenant) and how much (ledger).

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/ledger.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace rootstock::bill {

// A new customer with open books on a plan, both or neither.
Result<tenant::Tenant> create_tenant(store::Session& session, std::string_view name, std::string_view plan,
                                     Timestamp now);

// What a tenant used in a period, exactly, and the invoice that finalising it now would give.
struct TenantInvoice {
    tenant::Tenant tenant;
    ledger::Statement statement;
    ledger::Invoice invoice;
};
Result<TenantInvoice> invoice(store::Session& session, std::string_view tenant, const ledger::Period& period);

struct TenantUsage {
    tenant::Tenant tenant;
    ledger::Balance balance;
    std::vector<ledger::UsageLine> lines;
};
Result<TenantUsage> usage(store::Session& session, std::string_view tenant, const ledger::Period& period);

struct NamedEconomics {
    ledger::Economics economics;
    std::vector<std::string> tenant_names;  // of economics.by_tenant, in its order; "(house)" for the house
};
Result<NamedEconomics> economics(store::Session& session, const ledger::Period& period);

}  // namespace rootstock::bill
