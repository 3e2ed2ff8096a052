#include "ledger/reservation.h"

#include "ledger/accounts.h"
#include "ledger/economics.h"

namespace rootstock::ledger {
namespace {

struct Terms {
    std::string account;
    Price price, output_price{"output_tokens", "", {}, 1};

    Micros most(const ReserveRequest& request) const {
        return rate(request.tokens_max, price.amount, price.per) +
               rate(request.output_tokens_max, output_price.amount, output_price.per);
    }
};

struct Offer {
    std::string account;
    Price price;
};

// The tenant's account and the price of a model's meter: its own if the plan has one, else the plan's general one.
std::optional<Offer> offer_of(store::Session& session, const TenantId& tenant, const std::string& model,
                              const std::string& meter) {
    auto row = session.first<std::string, std::string, Micros, std::int64_t>(
        "SELECT s.account_id, p.model, p.amount, p.per FROM subscription s "
        "JOIN price p ON p.plan_code = s.plan_code AND p.plan_version = s.plan_version "
        "WHERE s.tenant_id = :tenant AND s.ended_at IS NULL AND p.meter = :meter "
        "AND (p.model = :model OR p.model = '') ORDER BY p.model DESC LIMIT 1",
        tenant, meter, model);
    if (!row) return std::nullopt;
    auto& [account, priced_model, amount, per] = *row;
    return Offer{account, {meter, priced_model, amount, per}};
}

Result<Terms> terms_of(store::Session& session, const ReserveRequest& request) {
    auto input = offer_of(session, request.tenant, request.model, request.meter);
    if (!input) return no_books();
    Terms terms{std::move(input->account), std::move(input->price)};
    if (request.output_tokens_max == 0) return terms;
    auto output = offer_of(session, request.tenant, request.model, "output_tokens");
    if (!output)
        return fail(
            ErrorCode::permission_denied,
            "your plan has no price for what the model '" + request.model + "' writes; ask for a plan that includes it",
            "model", "no_price");
    terms.output_price = std::move(output->price);
    return terms;
}

// Quota, credit and concurrent overspend are this one statement: it changes the row or it does not.
bool admit(store::Session& session, const std::string& account, Micros amount) {
    return session.execute(
               "UPDATE ledger_balance SET pending_dr = pending_dr + :hold WHERE account_id = :account "
               "AND posted_dr - posted_cr + pending_dr + :more <= "
               "(SELECT debit_limit FROM ledger_account WHERE id = :same)",
               amount, account, amount, account) == 1;
}

Result<void> record(store::Session& session, const ReserveRequest& request, const Terms& terms, Micros amount,
                    Timestamp now) {
    const auto added = session.execute(
        "INSERT INTO reservation (request_id, tenant_id, key_id, account_id, model, amount, tokens_max, price_amount, "
        "price_per, output_tokens_max, output_price_amount, output_price_per, operation, adapter, adapter_id, owner, "
        "state, created_at, expires_at) VALUES (:request, :tenant, :key, :account, :model, :amount, :tokens, :price, "
        ":per, :out, :out_price, :out_per, :operation, :adapter, :adapter_id, :owner, 'pending', :now, :expires) "
        "ON CONFLICT (request_id) DO NOTHING",
        request.request, request.tenant, request.key, terms.account, request.model, amount, request.tokens_max,
        terms.price.amount, terms.price.per, request.output_tokens_max, terms.output_price.amount,
        terms.output_price.per, request.operation, request.adapter, request.adapter_id, request.owner, now,
        request.expires);
    if (added == 1) return {};
    return fail(ErrorCode::conflict, "this request id was used before", {}, "request_seen");
}

void release(store::Session& session, const std::string& account, Micros amount) {
    const auto changed = session.execute(
        "UPDATE ledger_balance SET pending_dr = pending_dr - :amount WHERE account_id = :account", amount, account);
    ROOTSTOCK_CHECK(changed == 1, "a reservation's account has no balance row");
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
    return session.execute("UPDATE reservation SET state = '" + state +
                               "', settled_at = :settled WHERE state = 'pending' AND " + condition,
                           now, values...);
}

}  // namespace

Result<Hold> reserve(store::Session& session, const ReserveRequest& request, Timestamp now) {
    ROOTSTOCK_CHECK(request.tokens_max >= 0 && request.output_tokens_max >= 0,
                    "a request cannot use less than no tokens");
    ROOTSTOCK_TRY(terms, terms_of(session, request));
    const Micros amount = terms.most(request);
    if (!admit(session, terms.account, amount))
        return fail(ErrorCode::insufficient_quota,
                    "the credit limit does not cover this request, which may cost up to " + format_exact(amount) +
                        ": settle your balance or raise the limit",
                    {}, "insufficient_quota");
    ROOTSTOCK_CHECKED(record(session, request, terms, amount, now));
    return Hold{amount, terms.price, terms.output_price};
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
