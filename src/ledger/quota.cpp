#include "ledger/quota.h"

namespace rootstock::ledger {

Result<Quota> quota(store::Session& session, const TenantId& tenant, Timestamp now) {
    ROOTSTOCK_TRY(one, subscription_of(session, tenant));
    ROOTSTOCK_TRY(books, balance(session, tenant));
    Quota quota{one, one.period_at(now), books, plan_limits(session, tenant), {}};
    session.for_each<std::string, std::int64_t, std::int64_t, std::int64_t, bool>(
        "SELECT a.meter, a.quantity, COALESCE(u.used, 0), COALESCE(u.held, 0), a.hard FROM plan_allowance a LEFT JOIN "
        "allowance u ON u.tenant_id = :tenant AND u.meter = a.meter AND u.period_start = :period WHERE a.plan_code = "
        ":code "
        "AND a.plan_version = :version ORDER BY a.meter",
        [&](auto... columns) { quota.allowances.push_back({std::move(columns)...}); }, tenant, quota.period.start,
        one.plan, one.plan_version);
    return quota;
}

}  // namespace rootstock::ledger
