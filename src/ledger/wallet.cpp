#include "ledger/wallet.h"

#include <algorithm>
#include <array>

#include "ledger/accounts.h"

namespace rootstock::ledger {
namespace {

constexpr std::array<std::pair<GrantKind, const char*>, 3> kinds{
    {{GrantKind::trial, "trial"}, {GrantKind::promo, "promo"}, {GrantKind::purchased, "purchased"}}};

constexpr const char* columns =
    "SELECT id, tenant_id, kind, state, currency, amount, remaining, priority, effective_at, expires_at, source, "
    "created_at "
    "FROM wallet_grant ";

template <typename... Args>
std::vector<Grant> read(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Grant> found;
    for (auto& [id, tenant, kind, state, currency, amount, remaining, priority, effective, expires, source, created] :
         session.query<std::string, TenantId, std::string, std::string, std::string, Micros, Micros, std::int64_t,
                       Timestamp, std::optional<Timestamp>, std::string, Timestamp>(columns + where, args...))
        found.push_back({id, tenant, *grant_kind(kind), state, currency, amount, remaining, priority, effective,
                         expires, source, created});
    return found;
}

struct Receivable {
    std::string account, currency;
};

Result<Receivable> receivable_of(store::Session& session, const TenantId& tenant) {
    auto row = session.first<std::string, std::string>(
        "SELECT id, currency FROM ledger_account WHERE tenant_id = :tenant AND kind = 'receivable' ORDER BY created_at "
        "LIMIT 1",
        tenant);
    if (!row) return no_books();
    return Receivable{std::get<0>(*row), std::get<1>(*row)};
}

// Money that came for it, or our own gift; both come back from "breakage" when they are not used.
void begin(store::Session& session, const Grant& one, Timestamp now) {
    const auto receivable = receivable_of(session, one.tenant).value();
    const auto from = open_account(session, TenantId(), one.kind == GrantKind::purchased ? "cash_clearing" : "breakage",
                                   one.currency, std::nullopt, now);
    book(session, {from, receivable.account, one.amount, one.currency, "grant", "grant", one.id}, now);
}

void end(store::Session& session, const Grant& one, const char* state, Timestamp now) {
    if (one.state == "active" && one.remaining.value > 0) {
        const auto receivable = receivable_of(session, one.tenant).value();
        const auto to = open_account(session, TenantId(), "breakage", one.currency, std::nullopt, now);
        book(session, {receivable.account, to, one.remaining, one.currency, "grant_ended", "grant", one.id}, now);
    }
    session.execute("UPDATE wallet_grant SET state = :state WHERE id = :id", state, one.id);
}

}  // namespace

const char* name(GrantKind kind) {
    return std::ranges::find(kinds, kind, &std::pair<GrantKind, const char*>::first)->second;
}

std::optional<GrantKind> grant_kind(std::string_view name) {
    for (const auto& [kind, word] : kinds)
        if (name == word) return kind;
    return std::nullopt;
}

Result<Grant> grant(store::Session& session, const GrantOrder& order, Timestamp now) {
    ROOTSTOCK_TRY(receivable, receivable_of(session, order.tenant));
    if (order.amount.value <= 0) return fail(ErrorCode::invalid_argument, "a grant is more than nothing", "amount");
    const Timestamp effective = std::max(order.effective.value_or(now), now);
    if (order.expires && *order.expires <= effective)
        return fail(ErrorCode::invalid_argument, "a grant expires after it began, and not in the past", "expires_at");
    const Grant one{mint_id("gra", now), order.tenant,  order.kind,   effective > now ? "scheduled" : "active",
                    receivable.currency, order.amount,  order.amount, order.priority,
                    effective,           order.expires, order.source, now};
    session.execute(
        "INSERT INTO wallet_grant (id, tenant_id, kind, state, currency, amount, remaining, priority, effective_at, "
        "expires_at, source, created_at) VALUES (:id, :tenant, :kind, :state, :currency, :amount, :remaining, "
        ":priority, "
        ":effective, :expires, :source, :now)",
        one.id, one.tenant, name(one.kind), one.state, one.currency, one.amount, one.remaining, one.priority,
        one.effective, one.expires, one.source, now);
    if (one.state == "active") begin(session, one, now);
    return one;
}

Result<Grant> void_grant(store::Session& session, const std::optional<TenantId>& only, std::string_view id,
                         Timestamp now) {
    auto found = read(session, "WHERE id = :id AND (:everybody = 1 OR tenant_id = :only)", id, only ? 0 : 1,
                      only.value_or(TenantId{}));
    if (found.empty()) return fail(ErrorCode::not_found, "there is no such grant", "id", "grant_not_found");
    Grant& one = found.front();
    if (one.state != "active" && one.state != "scheduled")
        return fail(ErrorCode::conflict, "this grant is " + one.state + ": there is nothing to take back", {},
                    "grant_state");
    end(session, one, "voided", now);
    one.state = "voided";
    return one;
}

std::vector<Grant> grants(store::Session& session, const TenantId& tenant, std::string_view after, std::int64_t limit) {
    return read(session, "WHERE tenant_id = :tenant AND id > :after ORDER BY id LIMIT :limit", tenant, after, limit);
}

std::vector<Grant> burn_order(store::Session& session, const TenantId& tenant) {
    return read(
        session,
        "WHERE tenant_id = :tenant AND state = 'active' ORDER BY CASE WHEN kind = 'purchased' THEN 1 ELSE 0 END, "
        "priority, CASE WHEN expires_at IS NULL THEN 1 ELSE 0 END, expires_at, created_at, id",
        tenant);
}

Micros burn(store::Session& session, const TenantId& tenant, Micros amount, const std::string& ref_type,
            const std::string& ref, Timestamp now) {
    Micros left = amount;
    if (left.value == 0) return left;
    for (const Grant& one : burn_order(session, tenant)) {
        if (left.value == 0) break;
        if (one.expires && *one.expires <= now) continue;  // its end is due
        const Micros part = std::min(left, one.remaining);
        left = left - part;
        session.execute("UPDATE wallet_grant SET remaining = remaining - :part, state = :state WHERE id = :id", part,
                        part == one.remaining ? "exhausted" : "active", one.id);
        session.execute(
            "INSERT INTO grant_use (grant_id, ref_type, ref_id, tenant_id, amount, used_at) VALUES (:grant, :type, "
            ":ref, "
            ":tenant, :amount, :now)",
            one.id, ref_type, ref, tenant, part, now);
    }
    return amount - left;
}

Micros credits_used(store::Session& session, const TenantId& tenant, const Period& period) {
    return session.value<Micros>(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM grant_use WHERE tenant_id = :tenant AND used_at >= "
        ":start AND "
        "used_at < :end",
        tenant, period.start, period.end);
}

std::int64_t advance_grants(store::Session& session, Timestamp now) {
    const auto starting = read(session, "WHERE state = 'scheduled' AND effective_at <= :now ORDER BY id", now);
    for (const Grant& one : starting) {
        begin(session, one, now);
        session.execute("UPDATE wallet_grant SET state = 'active' WHERE id = :id", one.id);
    }
    const auto ending = read(session, "WHERE state = 'active' AND expires_at <= :now ORDER BY id", now);
    for (const Grant& one : ending) end(session, one, "expired", now);
    return static_cast<std::int64_t>(starting.size() + ending.size());
}

}  // namespace rootstock::ledger
