#include "ledger/accounts.h"
#include "ledger/reservation.h"

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
    std::string meter;

    std::int64_t taken_in(const Usage& usage) const { return meter == rows_meter ? usage.rows : usage.input_tokens; }
    bool covers(const Usage& usage) const {
        return taken_in(usage) <= tokens_max && usage.output_tokens <= output_tokens_max;
    }
    Micros charge(const Usage& usage) const {
        return rate(taken_in(usage), price, per) + rate(usage.output_tokens, output_price, output_per);
    }
};

Result<Reserved> find(store::Session& session, const RequestId& request) {
    auto row = session.first<TenantId, ApiKeyId, std::string, std::string, std::string, std::string, Micros, Micros,
                             std::int64_t, std::int64_t, Micros, std::int64_t, std::int64_t, std::string>(
        "SELECT r.tenant_id, r.key_id, r.account_id, v.id, a.currency, r.state, r.amount, r.price_amount, "
        "r.tokens_max, r.price_per, r.output_price_amount, r.output_tokens_max, r.output_price_per, r.meter FROM "
        "reservation "
        "r "
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
            Timestamp now) {
    const Usage& usage = settlement.usage;
    session.execute(
        "INSERT INTO usage_event (tenant_id, source, event_id, key_id, operation, model, adapter, adapter_id, "
        "input_tokens, inputs, compute_micros, output_tokens, cached_tokens, finish_reason, partial, amount, "
        "transfer_id, late, occurred_at) VALUES (:tenant, 'server', :request, :key, :operation, :model, :adapter, "
        ":adapter_id, :tokens, :inputs, :compute, :output, :cached, :finish, :partial, :amount, :transfer, :late, "
        ":now)",
        reserved.tenant, settlement.request, reserved.key, settlement.operation, settlement.model, settlement.adapter,
        settlement.adapter_id, usage.input_tokens, usage.rows, usage.compute_micros, usage.output_tokens,
        usage.cached_tokens, settlement.finish_reason, settlement.partial, charge.amount, charge.transfer, charge.late,
        now);
}

Charge book(store::Session& session, const Reserved& reserved, const Settlement& settlement, Charge charge,
            Timestamp now) {
    if (charge.amount.value > 0)
        charge.transfer = append(session,
                                 {reserved.account, reserved.revenue, charge.amount, reserved.currency, "usage",
                                  "request", settlement.request.text()},
                                 now);
    record(session, reserved, settlement, charge, now);
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
    Charge charge{reserved.charge(settlement.usage), {}, reserved.state == "expired"};
    if (!charge.late) {
        settle(session, reserved, settlement.request, charge.amount, now);
    } else if (!admit_late(session, reserved.account, charge.amount)) {
        return fail(ErrorCode::insufficient_quota,
                    "the request took too long and the credit limit was reached meanwhile: settle your balance", {},
                    "insufficient_quota");
    }
    return book(session, reserved, settlement, std::move(charge), now);
}

}  // namespace rootstock::ledger
