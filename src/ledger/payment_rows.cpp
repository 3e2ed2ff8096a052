#include "ledger/payment.h"

namespace rootstock::ledger {
namespace {

const std::string payment_columns =
    "SELECT id, tenant_id, invoice_id, provider, method, amount, currency, captured, refunded, state, created_at, "
    "version FROM payment ";
const std::string attempt_columns =
    "SELECT id, payment_id, tenant_id, state, provider_ref, error, created_at, changed_at FROM payment_attempt ";
const std::string refund_columns =
    "SELECT id, payment_id, tenant_id, amount, reason, credit_note, state, provider_ref, error, created_at, changed_at "
    "FROM refund ";

PaymentState payment_state(std::string_view text) {
    return text == "open" ? PaymentState::open : text == "succeeded" ? PaymentState::succeeded : PaymentState::canceled;
}

template <typename... Args>
std::vector<Payment> payments(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Payment> found;
    session.for_each<PaymentId, TenantId, InvoiceId, std::string, std::string, std::int64_t, std::string, std::int64_t,
                     std::int64_t, std::string, Timestamp, std::int64_t>(
        payment_columns + rest,
        [&](auto id, auto tenant, auto invoice, auto provider, auto method, auto amount, auto currency, auto captured,
            auto refunded, auto state, auto created, auto version) {
            found.push_back({id, tenant, invoice, provider, method, amount, currency, captured, refunded,
                             payment_state(state), created, version});
        },
        args...);
    return found;
}

template <typename... Args>
std::vector<Attempt> attempts(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Attempt> found;
    session.for_each<AttemptId, PaymentId, TenantId, std::string, std::string, std::string, Timestamp, Timestamp>(
        attempt_columns + rest,
        [&](auto id, auto payment, auto tenant, auto state, auto ref, auto error, auto created, auto changed) {
            found.push_back({id, payment, tenant, call_state(state), ref, error, created, changed});
        },
        args...);
    return found;
}

template <typename... Args>
std::vector<Refund> refunds(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Refund> found;
    session.for_each<RefundId, PaymentId, TenantId, std::int64_t, std::string, std::string, std::string, std::string,
                     std::string, Timestamp, Timestamp>(
        refund_columns + rest,
        [&](auto id, auto payment, auto tenant, auto amount, auto reason, auto note, auto state, auto ref, auto error,
            auto created, auto changed) {
            found.push_back(
                {id, payment, tenant, amount, reason, note, call_state(state), ref, error, created, changed});
        },
        args...);
    return found;
}

template <typename T>
Result<T> only_one(std::vector<T> found, const char* what, const char* reason) {
    if (found.empty()) return fail(ErrorCode::not_found, std::string("there is no such ") + what, "id", reason);
    return std::move(found.front());
}

const std::string page = "WHERE (:everybody = 1 OR tenant_id = :only) AND id > :after ORDER BY id LIMIT :limit";
const std::string due =
    "WHERE ((state = 'unknown' AND changed_at < :unknown) OR (state IN ('created', 'sent') AND changed_at < :sent)) "
    "AND "
    "payment_id IN (SELECT id FROM payment WHERE provider = :provider) ORDER BY changed_at LIMIT :limit";

}  // namespace

const char* name(PaymentState state) {
    switch (state) {
        case PaymentState::open:
            return "open";
        case PaymentState::succeeded:
            return "succeeded";
        case PaymentState::canceled:
            return "canceled";
    }
    return "open";
}

Result<Payment> find_payment(store::Session& session, const std::optional<TenantId>& only, std::string_view id) {
    return only_one(payments(session, "WHERE (:everybody = 1 OR tenant_id = :only) AND id = :id", only ? 0 : 1,
                             only.value_or(TenantId{}), id),
                    "payment", "payment_not_found");
}

Result<Attempt> find_attempt(store::Session& session, std::string_view id_or_ref) {
    return only_one(
        attempts(session, "WHERE id = :id OR (provider_ref = :ref AND provider_ref <> '')", id_or_ref, id_or_ref),
        "payment attempt", "attempt_not_found");
}

Result<Refund> find_refund(store::Session& session, const std::optional<TenantId>& only, std::string_view id_or_ref) {
    return only_one(refunds(session,
                            "WHERE (:everybody = 1 OR tenant_id = :only) AND (id = :id OR (provider_ref = :ref AND "
                            "provider_ref <> ''))",
                            only ? 0 : 1, only.value_or(TenantId{}), id_or_ref, id_or_ref),
                    "refund", "refund_not_found");
}

std::vector<Payment> list_payments(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                   std::int64_t limit) {
    return payments(session, page, only ? 0 : 1, only.value_or(TenantId{}), after, limit);
}

std::vector<Refund> list_refunds(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                 std::int64_t limit) {
    return refunds(session, page, only ? 0 : 1, only.value_or(TenantId{}), after, limit);
}

std::vector<Attempt> attempts_of(store::Session& session, const PaymentId& payment) {
    return attempts(session, "WHERE payment_id = :payment ORDER BY id", payment);
}

std::vector<Attempt> open_attempts(store::Session& session, const Overdue& overdue) {
    return attempts(session, due, overdue.unknown_before, overdue.sent_before, overdue.provider, overdue.limit);
}

std::vector<Refund> open_refunds(store::Session& session, const Overdue& overdue) {
    return refunds(session, due, overdue.unknown_before, overdue.sent_before, overdue.provider, overdue.limit);
}

std::optional<std::string> customer_of(store::Session& session, const TenantId& tenant, std::string_view provider) {
    auto row = session.first<std::string>(
        "SELECT ref FROM payment_customer WHERE tenant_id = :tenant AND provider = :provider", tenant, provider);
    return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

void remember_customer(store::Session& session, const TenantId& tenant, std::string_view provider, std::string_view ref,
                       Timestamp now) {
    session.execute(
        "INSERT INTO payment_customer (tenant_id, provider, ref, created_at) VALUES (:tenant, :provider, :ref, :now) "
        "ON CONFLICT (tenant_id, provider) DO NOTHING",
        tenant, provider, ref, now);
}

bool claim_event(store::Session& session, std::string_view provider, std::string_view event, Timestamp now) {
    return session.execute(
               "INSERT INTO provider_event (provider, event_id, received_at) VALUES (:provider, :event, :now) "
               "ON CONFLICT (provider, event_id) DO NOTHING",
               provider, event, now) == 1;
}

const char* payment_tables() {
    return R"sql(
CREATE TABLE payment (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    provider   TEXT NOT NULL,
    method     TEXT NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    currency   TEXT NOT NULL,
    captured   BIGINT NOT NULL DEFAULT 0 CHECK (captured >= 0 AND captured <= amount),
    refunded   BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= captured),
    state      TEXT NOT NULL CHECK (state IN ('open', 'succeeded', 'canceled')),
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX payment_tenant ON payment (tenant_id, id);
CREATE UNIQUE INDEX payment_of_invoice ON payment (invoice_id) WHERE state = 'open' AND invoice_id <> '';
CREATE TABLE payment_attempt (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    payment_id   TEXT NOT NULL REFERENCES payment (id),
    state        TEXT NOT NULL CHECK (state IN ('created', 'sent', 'unknown', 'succeeded', 'failed')),
    provider_ref TEXT NOT NULL DEFAULT '',
    error        TEXT NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX payment_attempt_open ON payment_attempt (payment_id)
    WHERE state IN ('created', 'sent', 'unknown');
CREATE INDEX payment_attempt_of ON payment_attempt (payment_id, id);
CREATE INDEX payment_attempt_ref ON payment_attempt (provider_ref);
CREATE INDEX payment_attempt_due ON payment_attempt (changed_at) WHERE state IN ('created', 'sent', 'unknown');
CREATE TABLE refund (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    payment_id   TEXT NOT NULL REFERENCES payment (id),
    amount       BIGINT NOT NULL CHECK (amount > 0),
    reason       TEXT NOT NULL,
    credit_note  TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('created', 'sent', 'unknown', 'succeeded', 'failed')),
    provider_ref TEXT NOT NULL DEFAULT '',
    error        TEXT NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL
);
CREATE INDEX refund_tenant ON refund (tenant_id, id);
CREATE INDEX refund_ref ON refund (provider_ref);
CREATE INDEX refund_due ON refund (changed_at) WHERE state IN ('created', 'sent', 'unknown');
CREATE UNIQUE INDEX refund_of_note ON refund (credit_note) WHERE state <> 'failed' AND credit_note <> '';
CREATE TABLE payment_customer (
    tenant_id  TEXT NOT NULL,
    provider   TEXT NOT NULL,
    ref        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, provider)
);
CREATE TABLE provider_event (
    provider    TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, event_id)
);
)sql";
}

}  // namespace rootstock::ledger
