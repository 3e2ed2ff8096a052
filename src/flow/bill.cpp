#include "flow/bill.h"

#include <map>

namespace rootstock::bill {

Result<tenant::Tenant> create_tenant(store::Session& session, std::string_view name, std::string_view plan,
                                     Timestamp now) {
    ROOTSTOCK_TRY(tenant, tenant::create(session, name, now));
    ROOTSTOCK_CHECKED(ledger::open_books(session, tenant.id, plan, now));
    return tenant;
}

Result<TenantInvoice> invoice(store::Session& session, std::string_view tenant, const ledger::Period& period) {
    ROOTSTOCK_TRY(found, tenant::find(session, tenant));
    ROOTSTOCK_TRY(statement, ledger::statement(session, found.id, period));
    ROOTSTOCK_TRY(invoice, ledger::preview(session, {found.id, found.name, period}));
    return TenantInvoice{found, statement, invoice};
}

Result<TenantUsage> usage(store::Session& session, std::string_view tenant, const ledger::Period& period) {
    ROOTSTOCK_TRY(found, tenant::find(session, tenant));
    ROOTSTOCK_TRY(balance, ledger::balance(session, found.id));
    return TenantUsage{found, balance, ledger::usage(session, found.id, period)};
}

Result<NamedEconomics> economics(store::Session& session, const ledger::Period& period) {
    ROOTSTOCK_TRY(economics, ledger::economics(session, period));
    std::map<TenantId, std::string> names{{TenantId(), "(house)"}};
    for (const tenant::Tenant& tenant : tenant::list(session)) names[tenant.id] = tenant.name;
    NamedEconomics named{std::move(economics), {}};
    for (const auto& row : named.economics.by_tenant) named.tenant_names.push_back(names[row.tenant]);
    return named;
}

}  // namespace rootstock::bill
