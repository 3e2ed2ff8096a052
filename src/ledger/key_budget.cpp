#include "ledger/key_budget.h"

#include <chrono>

namespace rootstock::ledger {
namespace {

// The first instant of the month; a budget in all has one period from the beginning on.
Timestamp begin_of(BudgetPeriod period, Timestamp now) {
    if (period == BudgetPeriod::total) return {};
    using namespace std::chrono;
    const sys_time<microseconds> instant{microseconds(now.micros)};
    const year_month_day day{floor<days>(instant)};
    return {duration_cast<microseconds>(sys_days{day.year() / day.month() / 1}.time_since_epoch()).count()};
}

struct Row {
    std::string id;
    std::optional<Micros> amount;
    std::string period;
    Timestamp begin;
    Micros spent, held;

    BudgetPeriod kind() const { return *budget_period(period); }
};

std::optional<Row> find(store::Session& session, const ApiKeyId& key) {
    auto row = session.first<std::string, std::optional<Micros>, std::string, Timestamp, Micros, Micros>(
        "SELECT b.id, b.amount, b.period, b.period_start, b.spent, b.held FROM key_budget_key k JOIN key_budget b ON "
        "b.id = k.budget_id WHERE k.key_id = :key",
        key);
    if (!row) return std::nullopt;
    return std::make_from_tuple<Row>(std::move(*row));
}

void begin_period(store::Session& session, const std::string& budget, Timestamp begin) {
    session.execute("UPDATE key_budget SET spent = 0, period_start = :begin WHERE id = :id AND period_start < :later",
                    begin, budget, begin);
}

KeyBudget told(const Row& row, Timestamp now) {
    const bool over = row.begin.micros < begin_of(row.kind(), now).micros;
    return {row.amount, row.kind(), over ? Micros{} : row.spent, row.held};
}

}  // namespace

const char* name(BudgetPeriod period) { return period == BudgetPeriod::month ? "month" : "total"; }

std::optional<BudgetPeriod> budget_period(std::string_view name) {
    if (name == "month") return BudgetPeriod::month;
    if (name == "total") return BudgetPeriod::total;
    return std::nullopt;
}

std::optional<KeyBudget> key_budget(store::Session& session, const ApiKeyId& key, Timestamp now) {
    const auto row = find(session, key);
    if (!row) return std::nullopt;
    return told(*row, now);
}

Result<KeyBudget> set_key_budget(store::Session& session, const TenantId& tenant, const ApiKeyId& key,
                                 std::optional<Micros> amount, BudgetPeriod period, Timestamp now) {
    if (amount && amount->value <= 0)
        return fail(ErrorCode::invalid_argument,
                    "a budget is an amount above zero; revoke the key to let it spend nothing", "budget");
    const auto begin = begin_of(period, now);
    if (const auto known = find(session, key)) {
        // What was spent this month is what a budget in all begins with, and the other way round.
        begin_period(session, known->id, begin_of(known->kind(), now));
        session.execute(
            "UPDATE key_budget SET amount = :amount, period = :period, period_start = :begin WHERE id = :id", amount,
            name(period), begin, known->id);
    } else {
        session.execute(
            "INSERT INTO key_budget (id, tenant_id, amount, period, period_start, spent, held) VALUES (:id, :tenant, "
            ":amount, :period, :begin, 0, 0)",
            key, tenant, amount, name(period), begin);
        session.execute("INSERT INTO key_budget_key (key_id, tenant_id, budget_id) VALUES (:key, :tenant, :budget)",
                        key, tenant, key);
    }
    return told(*find(session, key), now);
}

void share_key_budget(store::Session& session, const ApiKeyId& key, const ApiKeyId& next) {
    session.execute(
        "INSERT INTO key_budget_key (key_id, tenant_id, budget_id) SELECT CAST(:next AS TEXT), tenant_id, budget_id "
        "FROM "
        "key_budget_key WHERE key_id = :key",
        next, key);
}

Result<std::string> hold_budget(store::Session& session, const ApiKeyId& key, Micros amount, Timestamp now) {
    const auto row = find(session, key);
    if (!row) return std::string();
    if (const auto begin = begin_of(row->kind(), now); row->begin.micros < begin.micros)
        begin_period(session, row->id, begin);
    const auto held = session.execute(
        "UPDATE key_budget SET held = held + :hold WHERE id = :id AND (amount IS NULL OR spent + held + :more <= "
        "amount)",
        amount, row->id, amount);
    if (held == 1) return row->id;
    return fail(ErrorCode::insufficient_quota,
                "this API key's budget of " + format_exact(row->amount.value_or(Micros{})) +
                    (row->kind() == BudgetPeriod::month ? " a month" : "") +
                    " does not cover this request, which may cost up to " + format_exact(amount) +
                    ": raise the budget, or use another key",
                {}, "key_budget_used");
}

void settle_budget(store::Session& session, const std::string& budget, Micros held, Micros charged, Timestamp now) {
    if (budget.empty()) return;
    const auto period = session.first<std::string>("SELECT period FROM key_budget WHERE id = :id", budget);
    ROOTSTOCK_CHECK(period, "a reservation's budget is gone");
    begin_period(session, budget, begin_of(*budget_period(std::get<0>(*period)), now));
    session.execute("UPDATE key_budget SET held = held - :held, spent = spent + :charged WHERE id = :id", held, charged,
                    budget);
}

}  // namespace rootstock::ledger
