#pragma once
// Billing by the name of a tenant, as the routes and the commands do it.

#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "ledger/ledger.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace rootstock::bill {

// A line that somebody writes.
struct WrittenLine {
    std::string text;
    std::int64_t quantity = 1;
    std::int64_t amount = 0;  // minor units, for all of them
};

// The order of a tenant's invoice, in the currency of its books. Without lines: what the period costs.
Result<ledger::InvoiceOrder> order_of(store::Session& session, std::string_view tenant, const ledger::Period& period,
                                      const std::vector<WrittenLine>& lines = {}, std::int64_t due_days = 14);

// Of one tenant; no tenant: whoever's. A stranger's sounds like none.
Result<ledger::Invoice> invoice_seen_by(store::Session& session, const std::optional<TenantId>& tenant,
                                        const std::string& id);
Result<ledger::CreditNote> credit_note_seen_by(store::Session& session, const std::optional<TenantId>& tenant,
                                               const std::string& id);

}  // namespace rootstock::bill
