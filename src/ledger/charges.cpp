#include "ledger/charges.h"

#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

std::int64_t minor_of(Micros amount, int decimals) { return rate(amount.value, Micros{1}, per_minor(decimals)).value; }

}  // namespace

std::vector<UsageCharge> usage_charges(store::Session& session, const TenantId& tenant, const Period& period) {
    std::vector<UsageCharge> lines;
    session.for_each<std::string, std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Micros>(
        "SELECT model, adapter, COUNT(*), CAST(SUM(inputs) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT), "
        "CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM usage_event WHERE tenant_id = :tenant "
        "AND occurred_at >= :start "
        "AND occurred_at < :end GROUP BY model, adapter ORDER BY model, adapter",
        [&](auto... columns) { lines.push_back({std::move(columns)...}); }, tenant, period.start, period.end);
    return lines;
}

Micros booked_usage(store::Session& session, const TenantId& tenant, const Period& period) {
    return session.value<Micros>(
        "SELECT CAST(COALESCE(SUM(t.amount), 0) AS BIGINT) FROM ledger_account a "
        "JOIN ledger_transfer t ON t.debit_account = a.id AND t.code = 'usage' "
        "WHERE a.tenant_id = :tenant AND t.booked_at >= :start AND t.booked_at < :end",
        tenant, period.start, period.end);
}

Result<std::vector<ChargeLine>> charges(store::Session& session, const TenantId& tenant, const Period& period) {
    ROOTSTOCK_TRY(books, balance(session, tenant));
    ROOTSTOCK_TRY(decimals, minor_decimals(books.currency));
    std::vector<ChargeLine> lines;
    for (const UsageCharge& used : usage_charges(session, tenant, period))
        lines.push_back({.kind = "usage",
                         .meter = "tokens",
                         .model = used.model,
                         .quantity = used.input_tokens + used.output_tokens,
                         .unit = "tokens",
                         .service = period,
                         .amount = minor_of(used.amount, decimals),
                         .currency = books.currency,
                         .decimals = decimals,
                         .detail = json::serialize(json::object{{"adapter", used.adapter}})});
    return lines;
}

}  // namespace rootstock::ledger
