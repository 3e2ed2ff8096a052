#include "ledger/reservation.h"

#include "ledger/accounts.h"
#include "ledger/economics.h"
#include "ledger/key_budget.h"
#include "ledger/terms.h"

namespace rootstock::ledger {
namespace {

// Quota, credit and concurrent overspend are this one statement: it changes the row or it does not.
bool admit(store::Session& session, const std::string& account, Micros amount) {
    return session.execute(
               "UPDATE ledger_balance SET pending_dr = pending_dr + :hold WHERE account_id = :account "
               "AND posted_dr - posted_cr + pending_dr + :more <= "
               "(SELECT debit_limit FROM ledger_account WHERE id = :same)",
               amount, account, amount, account) == 1;
}

Quantities most_of(const ReserveRequest& request) {
    return {request.meter, request.tokens_max, request.output_tokens_max};
}

// The amount of one request where that is its own price.
Micros request_amount(const Terms& terms) {
    return terms.requests.rated ? Micros{} : rate(1, terms.requests.nano(), nano_per);
}

Result<void> record(store::Session& session, const ReserveRequest& request, const Terms& terms, Micros amount,
                    std::int64_t allowance, const std::string& budget, Timestamp now) {
    const auto added = session.execute(
        "INSERT INTO reservation (request_id, tenant_id, key_id, account_id, model, amount, tokens_max, price_amount, "
        "price_per, output_tokens_max, output_price_amount, output_price_per, operation, adapter, adapter_id, owner, "
        "state, created_at, expires_at, counts, price_id, output_price_id, cached_price_id, cached_price_amount, "
        "request_price_id, request_amount, rated, period_start, allowance, budget_id) VALUES (:request, :tenant, :key, "
        ":account, "
        ":model, "
        ":amount, :tokens, :price, :per, :out, :out_price, :out_per, :operation, :adapter, :adapter_id, :owner, "
        "'pending', "
        ":now, :expires, :meter, :price_id, :output_id, :cached_id, :cached, :each_id, :each, :rated, :period, "
        ":allowance, :budget) "
        "ON CONFLICT (request_id) DO NOTHING",
        request.request, request.tenant, request.key, terms.account, request.model, amount, request.tokens_max,
        terms.input.nano(), nano_per, request.output_tokens_max, terms.output.nano(), nano_per, request.operation,
        request.adapter, request.adapter_id, request.owner, now, request.expires, request.meter, terms.input.price,
        terms.output.price, terms.cached.price, terms.cached.nano(), terms.requests.price, request_amount(terms),
        terms.rated_bits(), terms.period_start, allowance, budget);
    if (added == 1) return {};
    return fail(ErrorCode::conflict, "this request id was used before", {}, "request_seen");
}

void release(store::Session& session, const std::string& account, Micros amount) {
    const auto changed = session.execute(
        "UPDATE ledger_balance SET pending_dr = pending_dr - :amount WHERE account_id = :account", amount, account);
    ROOTSTOCK_CHECK(changed == 1, "a reservation's account has no balance row");
}

// What was held of budgets by reservations that are closed without use.
template <typename... Args>
void release_budgets(store::Session& session, const std::string& chosen, Timestamp now, const Args&... args) {
    for (const auto& [budget, amount] : session.query<std::string, Micros>(
             "SELECT budget_id, CAST(SUM(amount) AS BIGINT) " + chosen + " AND budget_id <> '' GROUP BY budget_id",
             args...))
        settle_budget(session, budget, amount, {}, now);
}

// What was held of allowances by reservations that are closed without use.
template <typename... Args>
void release_allowances(store::Session& session, const std::string& chosen, const Args&... args) {
    for (const auto& [tenant, meter, input, output, bits, period] :
         session.query<TenantId, std::string, std::int64_t, std::int64_t, std::int64_t, Timestamp>(
             "SELECT tenant_id, counts, tokens_max, output_tokens_max, allowance, period_start " + chosen +
                 " AND allowance > 0",
             args...))
        settle_allowances(session, tenant, period, bits, {meter, input, output}, {meter, 0, 0, 0});
}

Timestamp lease_end(Timestamp now) { return {now.micros + std::chrono::microseconds(run_lease).count()}; }

// Closes all open reservations that `condition` selects, with its values, and lets go of what they held.
template <typename... Values>
std::int64_t close_all(store::Session& session, const std::string& state, const std::string& condition, Timestamp now,
                       const Values&... values) {
    const std::string chosen = "FROM reservation WHERE state = 'pending' AND " + condition;
    auto held = session.query<std::string, Micros>(
        "SELECT account_id, CAST(SUM(amount) AS BIGINT) " + chosen + " GROUP BY account_id", values...);
    for (auto& [account, amount] : held) release(session, account, amount);
    if (held.empty()) return 0;
    release_allowances(session, chosen, values...);
    release_budgets(session, chosen, now, values...);
    return session.execute("UPDATE reservation SET state = '" + state +
                               "', settled_at = :settled WHERE state = 'pending' AND " + condition,
                           now, values...);
}

}  // namespace

Result<Hold> reserve(store::Session& session, const ReserveRequest& request, Timestamp now) {
    ROOTSTOCK_CHECK(request.tokens_max >= 0 && request.output_tokens_max >= 0,
                    "a request cannot use less than no tokens");
    ROOTSTOCK_TRY(terms, terms_of(session, request, now));
    ROOTSTOCK_TRY(amount, terms.most(request));
    if (!admit(session, terms.account, amount))
        return fail(ErrorCode::insufficient_quota,
                    "the credit limit does not cover this request, which may cost up to " + format_exact(amount) +
                        ": settle your balance or raise the limit",
                    {}, "insufficient_quota");
    ROOTSTOCK_TRY(allowance, hold_allowances(session, terms, request.tenant, most_of(request)));
    ROOTSTOCK_TRY(budget, hold_budget(session, request.key, amount, now));
    ROOTSTOCK_CHECKED(record(session, request, terms, amount, allowance, budget, now));
    return Hold{amount};
}

void mark_progress(store::Session& session, const RequestId& request, std::int64_t output_tokens) {
    session.execute(
        "UPDATE reservation SET progress_tokens = :tokens WHERE request_id = :request AND state = 'pending' AND "
        "progress_tokens < :more",
        output_tokens, request, output_tokens);
}

Result<void> void_reservation(store::Session& session, const RequestId& request, std::int64_t compute_micros,
                              Timestamp now) {
    auto row = session.first<std::string, std::string, Micros, TenantId, std::string>(
        "SELECT state, account_id, amount, tenant_id, model FROM reservation WHERE request_id = :request", request);
    if (!row) return fail(ErrorCode::not_found, "there is no reservation of this request", {}, "request_unknown");
    auto& [state, account, amount, tenant, model] = *row;
    if (state == "posted") return fail(ErrorCode::conflict, "this request was charged already", {}, "posted");
    if (compute_micros > 0)
        book_work(session, {"failed_request", request.text(), tenant, model, {}, {}, compute_micros}, now);
    if (state != "pending") return {};
    release_allowances(session, "FROM reservation WHERE request_id = :request", request);
    release_budgets(session, "FROM reservation WHERE request_id = :request", now, request);
    session.execute("UPDATE reservation SET state = 'voided', settled_at = :now WHERE request_id = :request", now,
                    request);
    release(session, account, amount);
    return {};
}

std::string mint_run(Timestamp now) { return mint_id("run", now); }

std::int64_t begin_run(store::Session& session, const std::string& run, const std::string& place, Timestamp now) {
    session.execute("DELETE FROM server_run WHERE place = :place OR lease_until <= :now", place, now);
    const auto others = session.value<std::int64_t>("SELECT COUNT(*) FROM server_run");
    session.execute("INSERT INTO server_run (id, place, started_at, lease_until) VALUES (:id, :place, :now, :until)",
                    run, place, now, lease_end(now));
    return others;
}

void keep_run(store::Session& session, const std::string& run, Timestamp now) {
    session.execute("UPDATE server_run SET lease_until = :until WHERE id = :id", lease_end(now), run);
}

void end_run(store::Session& session, const std::string& run) {
    session.execute("DELETE FROM server_run WHERE id = :id", run);
}

std::int64_t settle_abandoned(store::Session& session, const std::string& owner, Timestamp now) {
    auto marked =
        session.query<RequestId, std::string, std::string, std::string, AdapterId, std::int64_t, std::int64_t>(
            "SELECT request_id, operation, model, adapter, adapter_id, tokens_max, progress_tokens FROM reservation "
            "WHERE state = 'pending' AND owner <> 'jobs' AND owner <> :owner AND progress_tokens > 0 AND owner NOT IN "
            "(SELECT id FROM server_run WHERE lease_until > :now) ORDER BY request_id",
            owner, now);
    for (auto& [request, operation, model, adapter, adapter_id, input, output] : marked) {
        const Usage usage{.input_tokens = input, .rows = 1, .output_tokens = output};
        auto charged = post(session, {request, operation, model, adapter, usage, adapter_id, "server_gone", true}, now);
        ROOTSTOCK_CHECK(charged.has_value(), "an open reservation cannot be posted at its mark");
    }
    return static_cast<std::int64_t>(marked.size());
}

std::int64_t void_abandoned(store::Session& session, const std::string& owner, Timestamp now) {
    return close_all(session, "voided",
                     "owner <> 'jobs' AND owner <> :owner AND owner NOT IN (SELECT id FROM server_run WHERE "
                     "lease_until > :now)",
                     now, owner, now);
}

std::int64_t expire_overdue(store::Session& session, Timestamp now) {
    return close_all(session, "expired", "expires_at <= :now", now, now);
}

Open open_reservations(store::Session& session) {
    const auto row = session.first<std::int64_t, Micros>(
        "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM reservation WHERE state = 'pending'");
    return {std::get<0>(*row), std::get<1>(*row)};
}

}  // namespace rootstock::ledger
