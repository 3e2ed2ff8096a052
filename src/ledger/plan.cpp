#include "ledger/plan.h"

#include "ledger/accounts.h"

namespace rootstock::ledger {
namespace {

Result<void> check(const Plan& plan) {
    ROOTSTOCK_CHECKED(minor_decimals(plan.currency));
    if (plan.code.empty()) return fail(ErrorCode::invalid_argument, "a plan needs a code", "code");
    if (plan.prices.empty()) return fail(ErrorCode::invalid_argument, "a plan needs at least one price", "prices");
    if (plan.credit_limit.value < 0)
        return fail(ErrorCode::invalid_argument, "a credit limit is zero or more", "credit_limit");
    for (const Price& price : plan.prices)
        if (price.amount.value < 0 || price.per <= 0)
            return fail(ErrorCode::invalid_argument, "a price is zero or more, for one unit or more", "prices");
    return {};
}

std::vector<Price> prices_of(store::Session& session, const Plan& plan) {
    std::vector<Price> prices;
    for (auto& [meter, model, amount, per] : session.query<std::string, std::string, Micros, std::int64_t>(
             "SELECT meter, model, amount, per FROM price WHERE plan_code = :code AND plan_version = :version "
             "ORDER BY meter, model",
             plan.code, plan.version))
        prices.push_back({std::move(meter), std::move(model), amount, per});
    return prices;
}

void subscribe(store::Session& session, const TenantId& tenant, const Plan& plan, const std::string& account,
               Timestamp now) {
    session.execute(
        "INSERT INTO subscription (id, tenant_id, plan_code, plan_version, account_id, started_at) "
        "VALUES (:id, :tenant, :code, :version, :account, :now)",
        mint_id("sub", now), tenant, plan.code, plan.version, account, now);
}

}  // namespace

Result<Plan> find_plan(store::Session& session, std::string_view code) {
    auto row = session.first<std::string, std::int64_t, std::string, Micros>(
        "SELECT code, version, currency, credit_limit FROM plan WHERE code = :code ORDER BY version DESC LIMIT 1",
        code);
    if (!row)
        return fail(ErrorCode::not_found, "there is no plan '" + std::string(code) + "'", "plan", "plan_not_found");
    Plan plan{std::get<0>(*row), std::get<1>(*row), std::get<2>(*row), std::get<3>(*row), {}};
    plan.prices = prices_of(session, plan);
    return plan;
}

Result<Plan> add_plan_version(store::Session& session, Plan plan, Timestamp now) {
    ROOTSTOCK_CHECKED(check(plan));
    plan.version =
        1 + session.value<std::int64_t>("SELECT COALESCE(MAX(version), 0) FROM plan WHERE code = :code", plan.code);
    session.execute(
        "INSERT INTO plan (code, version, currency, credit_limit, created_at) "
        "VALUES (:code, :version, :currency, :limit, :now)",
        plan.code, plan.version, plan.currency, plan.credit_limit, now);
    for (const Price& price : plan.prices)
        session.execute(
            "INSERT INTO price (plan_code, plan_version, meter, model, amount, per) "
            "VALUES (:code, :version, :meter, :model, :amount, :per)",
            plan.code, plan.version, price.meter, price.model, price.amount, price.per);
    return plan;
}

Result<void> open_books(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now) {
    ROOTSTOCK_TRY(plan, find_plan(session, plan_code));
    const auto seen =
        session.value<std::int64_t>("SELECT COUNT(*) FROM subscription WHERE tenant_id = :tenant", tenant);
    if (seen > 0) return fail(ErrorCode::already_exists, "this tenant's books are open already", "tenant");
    open_account(session, TenantId(), "revenue", plan.currency, std::nullopt, now);
    const auto account = open_account(session, tenant, "receivable", plan.currency, plan.credit_limit, now);
    subscribe(session, tenant, plan, account, now);
    return {};
}

Result<void> set_plan(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now) {
    ROOTSTOCK_TRY(plan, find_plan(session, plan_code));
    ROOTSTOCK_TRY(before, balance(session, tenant));
    if (before.currency != plan.currency)
        return fail(ErrorCode::conflict,
                    "the plan is in " + plan.currency + " but this tenant's books are in " + before.currency, "plan");
    const auto account = session.value<std::string>(
        "SELECT account_id FROM subscription WHERE tenant_id = :tenant AND ended_at IS NULL", tenant);
    session.execute("UPDATE subscription SET ended_at = :now WHERE tenant_id = :tenant AND ended_at IS NULL", now,
                    tenant);
    subscribe(session, tenant, plan, account, now);
    session.execute("UPDATE ledger_account SET debit_limit = :limit WHERE id = :id", plan.credit_limit, account);
    return {};
}

Result<Balance> balance(store::Session& session, const TenantId& tenant) {
    auto row = session.first<std::string, std::string, std::int64_t, Micros, Micros, Micros, Micros>(
        "SELECT a.currency, s.plan_code, s.plan_version, b.posted_dr, b.posted_cr, b.pending_dr, a.debit_limit "
        "FROM subscription s JOIN ledger_account a ON a.id = s.account_id JOIN ledger_balance b ON b.account_id = a.id "
        "WHERE s.tenant_id = :tenant AND s.ended_at IS NULL",
        tenant);
    if (!row) return no_books();
    auto& [currency, plan, version, debits, credits, held, limit] = *row;
    return Balance{currency, plan + " v" + std::to_string(version), debits - credits, held, limit};
}

}  // namespace rootstock::ledger
