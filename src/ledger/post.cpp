#include "ledger/accounts.h"
#include "ledger/key_budget.h"
#include "ledger/reservation.h"
#include "ledger/terms.h"
#include "ledger/wallet.h"

namespace rootstock::ledger {
namespace {

struct Reserved {
    TenantId tenant;
    ApiKeyId key;
    std::string account, revenue, currency, state;
    Micros held, price;
    std::int64_t tokens_max = 0, per = 1;
    Micros output_price;
    std::int64_t output_tokens_max = 0, output_per = 1;
    std::string meter, price_id, output_price_id, cached_price_id;
    Micros cached_price;
    std::string request_price_id;
    Micros request_amount;
    std::int64_t rated = 0, allowance = 0;
    Timestamp period;
    std::string budget;

    std::int64_t counted(const Usage& usage) const { return meter == "rows" ? usage.rows : usage.input_tokens; }
    bool covers(const Usage& usage) const {
        return counted(usage) <= tokens_max && usage.output_tokens <= output_tokens_max;
    }
    // At prices that do not depend on the rest of the period.
    Micros charge(const Usage& usage) const {
        const std::int64_t cached = cached_price_id.empty() ? 0 : usage.cached_tokens;
        Micros sum = request_amount;
        if ((rated & 1) == 0)
            sum = sum + rate(counted(usage) - cached, price, per) + rate(cached, cached_price, nano_per);
        if ((rated & 2) == 0) sum = sum + rate(usage.output_tokens, output_price, output_per);
        return sum;
    }
};

// At those that do: what this request adds to the period.
Result<Micros> rated_charge(store::Session& session, const Reserved& reserved, const Usage& usage) {
    Micros sum;
    const auto add = [&](std::int64_t bit, const std::string& price, std::int64_t quantity) -> Result<void> {
        if ((reserved.rated & bit) == 0) return {};
        ROOTSTOCK_TRY(more, charge_rated(session, reserved.tenant, price, reserved.period, quantity));
        sum = sum + more;
        return {};
    };
    ROOTSTOCK_CHECKED(add(1, reserved.price_id, reserved.counted(usage)));
    ROOTSTOCK_CHECKED(add(2, reserved.output_price_id, usage.output_tokens));
    ROOTSTOCK_CHECKED(add(4, reserved.request_price_id, 1));
    return sum;
}

Result<Reserved> find(store::Session& session, const RequestId& request) {
    auto row =
        session
            .first<TenantId, ApiKeyId, std::string, std::string, std::string, std::string, Micros, Micros, std::int64_t,
                   std::int64_t, Micros, std::int64_t, std::int64_t, std::string, std::string, std::string, std::string,
                   Micros, std::string, Micros, std::int64_t, std::int64_t, Timestamp, std::string>(
                "SELECT r.tenant_id, r.key_id, r.account_id, v.id, a.currency, r.state, r.amount, r.price_amount, "
                "r.tokens_max, r.price_per, r.output_price_amount, r.output_tokens_max, r.output_price_per, r.counts, "
                "r.price_id, r.output_price_id, r.cached_price_id, r.cached_price_amount, r.request_price_id, "
                "r.request_amount, r.rated, r.allowance, r.period_start, r.budget_id FROM reservation r "
                "JOIN ledger_account a ON a.id = r.account_id "
                "JOIN ledger_account v ON v.tenant_id = '' AND v.kind = 'revenue' AND v.currency = a.currency "
                "WHERE r.request_id = :request",
                request);
    if (!row) return fail(ErrorCode::not_found, "there is no reservation of this request", {}, "request_unknown");
    return std::make_from_tuple<Reserved>(std::move(*row));
}

std::optional<Charge> booked_before(store::Session& session, const Reserved& reserved, const RequestId& request) {
    auto row = session.first<Micros, TransferId, bool>(
        "SELECT amount, transfer_id, late FROM usage_event "
        "WHERE tenant_id = :tenant AND source = 'server' AND event_id = :request",
        reserved.tenant, request);
    if (!row) return std::nullopt;
    return Charge{std::get<0>(*row), std::get<1>(*row), std::get<2>(*row), true};
}

// The hold goes, the charge comes, in one statement.
void settle(store::Session& session, const Reserved& reserved, const RequestId& request, Micros amount, Timestamp now) {
    session.execute("UPDATE reservation SET state = 'posted', settled_at = :now WHERE request_id = :request", now,
                    request);
    session.execute(
        "UPDATE ledger_balance SET posted_dr = posted_dr + :amount, pending_dr = pending_dr - :held "
        "WHERE account_id = :account",
        amount, reserved.held, reserved.account);
}

// The hold is gone: the true amount must pass the limit on its own.
bool admit_late(store::Session& session, const std::string& account, Micros amount) {
    return session.execute(
               "UPDATE ledger_balance SET posted_dr = posted_dr + :amount WHERE account_id = :account "
               "AND posted_dr - posted_cr + pending_dr + :more <= "
               "(SELECT debit_limit FROM ledger_account WHERE id = :same)",
               amount, account, amount, account) == 1;
}

void record(store::Session& session, const Reserved& reserved, const Settlement& settlement, const Charge& charge,
            Micros rated, Timestamp now) {
    const Usage& usage = settlement.usage;
    session.execute(
        "INSERT INTO usage_event (tenant_id, source, event_id, key_id, operation, model, adapter, adapter_id, "
        "input_tokens, inputs, compute_micros, output_tokens, cached_tokens, finish_reason, partial, amount, "
        "transfer_id, late, occurred_at, price_id, output_price_id, cached_price_id, request_price_id, "
        "rated_amount) VALUES (:tenant, 'server', :request, :key, :operation, :model, :adapter, "
        ":adapter_id, :tokens, :inputs, :compute, :output, :cached, :finish, :partial, :amount, :transfer, :late, "
        ":now, :price, :output_price, :cached_price, :request_price, :rated)",
        reserved.tenant, settlement.request, reserved.key, settlement.operation, settlement.model, settlement.adapter,
        settlement.adapter_id, usage.input_tokens, usage.rows, usage.compute_micros, usage.output_tokens,
        usage.cached_tokens, settlement.finish_reason, settlement.partial, charge.amount, charge.transfer, charge.late,
        now, reserved.price_id, reserved.output_price_id, reserved.cached_price_id, reserved.request_price_id, rated);
}

Charge book(store::Session& session, const Reserved& reserved, const Settlement& settlement, Charge charge,
            Micros rated, Timestamp now) {
    if (charge.amount.value > 0)
        charge.transfer = append(session,
                                 {reserved.account, reserved.revenue, charge.amount, reserved.currency, "usage",
                                  "request", settlement.request.text()},
                                 now);
    burn(session, reserved.tenant, charge.amount, "request", settlement.request.text(), now);
    record(session, reserved, settlement, charge, rated, now);
    return charge;
}

}  // namespace

Result<Charge> post(store::Session& session, const Settlement& settlement, Timestamp now) {
    ROOTSTOCK_TRY(reserved, find(session, settlement.request));
    if (reserved.state == "voided")
        return fail(ErrorCode::conflict, "this request was given up and cannot be charged", {}, "voided");
    if (reserved.state != "pending")
        if (auto before = booked_before(session, reserved, settlement.request)) return *before;
    if (!reserved.covers(settlement.usage))
        return fail(ErrorCode::internal, "a request used more than it had reserved", {}, "above_hold");
    ROOTSTOCK_TRY(rated, rated_charge(session, reserved, settlement.usage));
    Charge charge{reserved.charge(settlement.usage) + rated, {}, reserved.state == "expired"};
    const Quantities used{reserved.meter, reserved.counted(settlement.usage), settlement.usage.output_tokens};
    const Quantities held{reserved.meter, reserved.tokens_max, reserved.output_tokens_max};
    // What expired was let go of then; what was used counts all the same.
    settle_allowances(session, reserved.tenant, reserved.period, reserved.allowance,
                      charge.late ? Quantities{reserved.meter, 0, 0, 0} : held, used);
    if (!charge.late) {
        settle(session, reserved, settlement.request, charge.amount, now);
    } else if (!admit_late(session, reserved.account, charge.amount)) {
        return fail(ErrorCode::insufficient_quota,
                    "the request took too long and the credit limit was reached meanwhile: settle your balance", {},
                    "insufficient_quota");
    }
    settle_budget(session, reserved.budget, charge.late ? Micros{} : reserved.held, charge.amount, now);
    return book(session, reserved, settlement, std::move(charge), rated, now);
}

}  // namespace rootstock::ledger
