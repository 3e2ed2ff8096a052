#include "ledger/payment.h"

#include "ledger/accounts.h"
#include "ledger/plan.h"
#include "outbox/outbox.h"

namespace rootstock::ledger {
namespace {

constexpr std::int64_t amount_max = 99'999'999'99;  // minor units: what providers take in one payment

std::unexpected<Error> bad_amount(const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, sentence, "amount");
}

json::object told(const Payment& payment) {
    return {{"id", payment.id.text()},
            {"invoice", payment.invoice.text()},
            {"amount", payment.amount},
            {"currency", payment.currency}};
}

// Both sides; see append.
void book_both(store::Session& session, const Transfer& transfer, Timestamp now) {
    const auto moved =
        session.execute("UPDATE ledger_balance SET posted_dr = posted_dr + :amount WHERE account_id = :debit",
                        transfer.amount, transfer.debit);
    ROOTSTOCK_CHECK(moved == 1, "an account has no balance row");
    append(session, transfer, now);
}

Result<Micros> in_micros(std::int64_t minor, const std::string& currency) {
    ROOTSTOCK_TRY(decimals, minor_decimals(currency));
    std::int64_t per = 1'000'000;
    for (int i = 0; i < decimals; ++i) per /= 10;
    return rate(minor, Micros{per}, 1);
}

// Money on account, in or out: between the house's bank and what it owes the tenant.
Result<void> book_on_account(store::Session& session, const Payment& payment, std::int64_t amount, bool in,
                             const std::string& ref, Timestamp now) {
    ROOTSTOCK_TRY(micros, in_micros(amount, payment.currency));
    const auto bank = open_account(session, TenantId{}, "cash_clearing", payment.currency, std::nullopt, now);
    const auto credit = open_account(session, payment.tenant, "refunds", payment.currency, std::nullopt, now);
    book_both(session,
              {in ? bank : credit, in ? credit : bank, micros, payment.currency, in ? "payment" : "refund",
               in ? "payment" : "refund", ref},
              now);
    return {};
}

Result<void> check_amount(std::int64_t amount) {
    if (amount <= 0) return bad_amount("'amount' must be above zero, in the currency's smallest unit");
    if (amount > amount_max) return bad_amount("'amount' is more than one payment can carry");
    return {};
}

Result<Attempt> illegal(const Attempt& attempt) {
    return fail(ErrorCode::conflict,
                std::string("this attempt is ") + name(attempt.state) + " and does not take that step", {},
                "attempt_state");
}

Result<void> check_moved(const CallEnd& end, std::int64_t meant) {
    if (!end.amount || *end.amount == meant) return {};
    return fail(ErrorCode::corrupt,
                "the provider moved " + std::to_string(*end.amount) + " where " + std::to_string(meant) +
                    " was meant: nothing is booked; look at it by hand",
                {}, "amount_mismatch");
}

Result<void> capture(store::Session& session, const Attempt& attempt, const CallEnd& end, const InvoiceDesk& desk,
                     Timestamp now) {
    ROOTSTOCK_TRY(payment, find_payment(session, attempt.tenant, attempt.payment.text()));
    ROOTSTOCK_CHECKED(check_moved(end, payment.amount));
    const auto captured = session.execute(
        "UPDATE payment SET captured = amount, state = 'succeeded', version = version + 1 WHERE id = :id AND "
        "state = 'open'",
        payment.id);
    ROOTSTOCK_CHECK(captured == 1, "a payment with an open attempt is open");
    if (payment.invoice.empty()) {
        ROOTSTOCK_CHECKED(book_on_account(session, payment, payment.amount, true, attempt.id.text(), now));
    } else {
        ROOTSTOCK_CHECKED(
            desk.settle(session, payment.invoice, payment.amount, payment.provider + " " + attempt.id.text(), now));
    }
    outbox::announce(session, payment.tenant, "payment.succeeded", told(payment), now);
    return {};
}

void write_attempt(store::Session& session, const Attempt& attempt) {
    session.execute(
        "UPDATE payment_attempt SET state = :state, provider_ref = :ref, error = :error, changed_at = :changed "
        "WHERE id = :id",
        std::string(name(attempt.state)), attempt.ref, attempt.error, attempt.changed, attempt.id);
}

}  // namespace

Result<Payment> open_payment(store::Session& session, const PaymentOrder& order, const InvoiceDesk& desk,
                             Timestamp now) {
    std::int64_t amount = order.amount;
    std::string currency = order.currency;
    if (!order.invoice.empty()) {
        ROOTSTOCK_TRY(owed, desk.find(session, order.invoice));
        if (owed.tenant != order.tenant)
            return fail(ErrorCode::not_found, "there is no such invoice", "invoice", "invoice_not_found");
        if (owed.amount == 0)
            return fail(ErrorCode::conflict, "there is nothing to pay on this invoice", {}, "invoice_state");
        if (!currency.empty() && currency != owed.currency)
            return fail(ErrorCode::invalid_argument, "the invoice is in " + owed.currency, "currency");
        currency = owed.currency;
        if (amount == 0) amount = owed.amount;
        if (amount > owed.amount) return bad_amount("'amount' is more than the invoice leaves to pay");
        const auto open = session.value<std::int64_t>(
            "SELECT COUNT(*) FROM payment WHERE invoice_id = :invoice AND state = 'open'", order.invoice);
        if (open > 0)
            return fail(ErrorCode::conflict, "a payment of this invoice is under way: wait for it or cancel it", {},
                        "payment_open");
    }
    ROOTSTOCK_CHECKED(minor_decimals(currency));
    ROOTSTOCK_CHECKED(check_amount(amount));
    const auto id = mint<PaymentTag>(now);
    session.execute(
        "INSERT INTO payment (id, tenant_id, invoice_id, provider, method, amount, currency, state, created_at) "
        "VALUES (:id, :tenant, :invoice, :provider, :method, :amount, :currency, 'open', :now)",
        id, order.tenant, order.invoice, order.provider, order.method, amount, currency, now);
    return find_payment(session, order.tenant, id.text());
}

Result<Payment> cancel_payment(store::Session& session, const PaymentId& id, Timestamp) {
    ROOTSTOCK_TRY(payment, find_payment(session, std::nullopt, id.text()));
    for (const auto& attempt : attempts_of(session, id))
        if (!is_final(attempt.state))
            return fail(ErrorCode::conflict,
                        std::string("an attempt at this payment is ") + name(attempt.state) + ": wait for its end", {},
                        "attempt_open");
    if (payment.state != PaymentState::open)
        return fail(ErrorCode::conflict, std::string("this payment is ") + name(payment.state), {}, "payment_state");
    session.execute("UPDATE payment SET state = 'canceled', version = version + 1 WHERE id = :id", id);
    return find_payment(session, std::nullopt, id.text());
}

Result<Attempt> begin_attempt(store::Session& session, const PaymentId& id, Timestamp now) {
    ROOTSTOCK_TRY(payment, find_payment(session, std::nullopt, id.text()));
    if (payment.state != PaymentState::open)
        return fail(ErrorCode::conflict, std::string("this payment is ") + name(payment.state), {}, "payment_state");
    for (const auto& attempt : attempts_of(session, id))
        if (!is_final(attempt.state))
            return fail(ErrorCode::conflict,
                        std::string("an attempt at this payment is ") + name(attempt.state) + ": wait for its end", {},
                        "attempt_open");
    const auto made = mint<AttemptTag>(now);
    session.execute(
        "INSERT INTO payment_attempt (id, tenant_id, payment_id, state, created_at, changed_at) "
        "VALUES (:id, :tenant, :payment, 'created', :created, :changed)",
        made, payment.tenant, id, now, now);
    return find_attempt(session, made.text());
}

Result<Attempt> step(store::Session& session, const AttemptId& id, CallEvent event, const CallEnd& end,
                     const InvoiceDesk& desk, Timestamp now) {
    ROOTSTOCK_TRY(attempt, find_attempt(session, id.text()));
    const auto next = after(attempt.state, event);
    if (!next) return illegal(attempt);
    if (is_final(attempt.state)) return std::move(attempt);  // told again
    attempt.state = *next;
    if (!end.ref.empty()) attempt.ref = end.ref;
    attempt.error = *next == CallState::succeeded ? std::string() : end.error;
    attempt.changed = now;
    write_attempt(session, attempt);
    if (*next == CallState::succeeded) ROOTSTOCK_CHECKED(capture(session, attempt, end, desk, now));
    if (*next == CallState::failed) {
        ROOTSTOCK_TRY(payment, find_payment(session, attempt.tenant, attempt.payment.text()));
        auto data = told(payment);
        data["error"] = attempt.error;
        outbox::announce(session, payment.tenant, "payment.failed", data, now);
    }
    return std::move(attempt);
}

void note_attempt(store::Session& session, const AttemptId& attempt, const std::string& ref, Timestamp now) {
    session.execute(
        "UPDATE payment_attempt SET provider_ref = :ref, changed_at = :now WHERE id = :id AND "
        "state IN ('sent', 'unknown')",
        ref, now, attempt);
}

void note_refund(store::Session& session, const RefundId& refund, const std::string& ref, Timestamp now) {
    session.execute(
        "UPDATE refund SET provider_ref = :ref, changed_at = :now WHERE id = :id AND state IN ('sent', 'unknown')", ref,
        now, refund);
}

Result<Refund> open_refund(store::Session& session, const PaymentId& id, std::int64_t amount, std::string_view reason,
                           std::string_view credit_note, Timestamp now) {
    ROOTSTOCK_TRY(payment, find_payment(session, std::nullopt, id.text()));
    if (amount <= 0) return bad_amount("'amount' must be above zero, in the currency's smallest unit");
    if (!payment.invoice.empty() && credit_note.empty())
        return fail(ErrorCode::invalid_argument,
                    "money for an invoice goes back on its credit note: issue one of the kind refund and name it",
                    "credit_note", "credit_note_needed");
    const auto held = session.execute(
        "UPDATE payment SET refunded = refunded + :amount, version = version + 1 WHERE id = :id AND "
        "captured - refunded >= :needed",
        amount, id, amount);
    if (held != 1)
        return fail(
            ErrorCode::conflict,
            "only " + std::to_string(payment.captured - payment.refunded) + " of this payment is left to refund",
            "amount", "above_captured");
    const auto made = mint<RefundTag>(now);
    session.execute(
        "INSERT INTO refund (id, tenant_id, payment_id, amount, reason, credit_note, state, created_at, changed_at) "
        "VALUES (:id, :tenant, :payment, :amount, :reason, :note, 'created', :created, :changed)",
        made, payment.tenant, id, amount, reason, credit_note, now, now);
    return find_refund(session, payment.tenant, made.text());
}

Result<Refund> step_refund(store::Session& session, const RefundId& id, CallEvent event, const CallEnd& end,
                           const InvoiceDesk& desk, Timestamp now) {
    ROOTSTOCK_TRY(refund, find_refund(session, std::nullopt, id.text()));
    const auto next = after(refund.state, event);
    if (!next)
        return fail(ErrorCode::conflict,
                    std::string("this refund is ") + name(refund.state) + " and does not take that step", {},
                    "refund_state");
    if (is_final(refund.state)) return std::move(refund);
    refund.state = *next;
    if (!end.ref.empty()) refund.ref = end.ref;
    refund.error = *next == CallState::succeeded ? std::string() : end.error;
    refund.changed = now;
    session.execute(
        "UPDATE refund SET state = :state, provider_ref = :ref, error = :error, changed_at = :changed WHERE id = :id",
        std::string(name(refund.state)), refund.ref, refund.error, now, refund.id);
    ROOTSTOCK_TRY(payment, find_payment(session, refund.tenant, refund.payment.text()));
    if (*next == CallState::failed)
        session.execute("UPDATE payment SET refunded = refunded - :amount, version = version + 1 WHERE id = :id",
                        refund.amount, refund.payment);
    if (*next == CallState::succeeded) {
        ROOTSTOCK_CHECKED(check_moved(end, refund.amount));
        if (refund.credit_note.empty()) {
            ROOTSTOCK_CHECKED(book_on_account(session, payment, refund.amount, false, refund.id.text(), now));
        } else {
            ROOTSTOCK_CHECKED(
                desk.refunded(session, refund.credit_note, payment.provider + " " + refund.id.text(), now));
        }
    }
    if (is_final(*next)) {
        auto data = told(payment);
        data["refund"] = refund.id.text();
        data["amount"] = refund.amount;
        outbox::announce(session, payment.tenant, *next == CallState::succeeded ? "refund.succeeded" : "refund.failed",
                         data, now);
    }
    return std::move(refund);
}

}  // namespace rootstock::ledger
