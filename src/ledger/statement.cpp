#include "ledger/statement.h"

#include "ledger/calendar.h"
#include "ledger/plan.h"

namespace rootstock::ledger {
std::vector<UsageLine> usage(store::Session& session, const TenantId& tenant, const Period& period) {
    std::vector<UsageLine> lines;
    session.for_each<std::int64_t, std::string, std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                     std::int64_t, Micros>(
        "SELECT occurred_at / 86400000000 AS day, model, adapter, COUNT(*), CAST(SUM(inputs) AS BIGINT), "
        "CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(compute_micros) AS BIGINT), "
        "CAST(SUM(amount) AS BIGINT) "
        "FROM usage_event WHERE tenant_id = :tenant AND occurred_at >= :start AND occurred_at < :end "
        "GROUP BY day, model, adapter ORDER BY day, model, adapter",
        [&](std::int64_t day, auto... columns) {
            lines.push_back({day_name(day), std::move(columns)...});
        },
        tenant, period.start, period.end);
    return lines;
}

Result<Micros> agreed_usage(store::Session& session, const TenantId& tenant, const Period& period) {
    Micros used;
    for (const UsageCharge& line : usage_charges(session, tenant, period)) used = used + line.amount;
    const Micros ledger = booked_usage(session, tenant, period);
    if (used == ledger) return used;
    return fail(ErrorCode::corrupt,
                "usage says " + format_exact(used) + " but the ledger says " + format_exact(ledger) +
                    ": no invoice is made; run `rootstock ledger verify`",
                {}, "ledger_mismatch");
}

Result<Statement> statement(store::Session& session, const TenantId& tenant, const Period& period) {
    ROOTSTOCK_TRY(books, balance(session, tenant));
    ROOTSTOCK_TRY(decimals, minor_decimals(books.currency));
    ROOTSTOCK_TRY(total, agreed_usage(session, tenant, period));
    return Statement{tenant,
                     books.currency,
                     decimals,
                     period,
                     usage_charges(session, tenant, period),
                     total,
                     format_rounded(total, decimals)};
}

}  // namespace rootstock::ledger
