#include "ledger/growth_tables.h"
#include "ledger/guards.h"
#include "ledger/ledger.h"
#include "ledger/plan_tables.h"

namespace rootstock::ledger {
namespace {

// Amounts are micro-units, instants microseconds UTC. An empty tenant id is the house.
constexpr const char* tables = R"sql(
CREATE TABLE plan (
    code         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    currency     TEXT NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit >= 0),
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE TABLE price (
    plan_code    TEXT NOT NULL,
    plan_version BIGINT NOT NULL,
    meter        TEXT NOT NULL,
    model        TEXT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount >= 0),
    per          BIGINT NOT NULL CHECK (per > 0),
    PRIMARY KEY (plan_code, plan_version, meter, model),
    FOREIGN KEY (plan_code, plan_version) REFERENCES plan (code, version)
);
CREATE TABLE subscription (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    plan_code    TEXT NOT NULL,
    plan_version BIGINT NOT NULL,
    account_id   TEXT NOT NULL,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    FOREIGN KEY (plan_code, plan_version) REFERENCES plan (code, version)
);
CREATE UNIQUE INDEX subscription_current ON subscription (tenant_id) WHERE ended_at IS NULL;

CREATE TABLE ledger_account (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('receivable', 'prepaid', 'revenue', 'tax_payable', 'cash_clearing',
                'refunds', 'breakage', 'commission_payable', 'cost_gpu', 'cost_idle', 'fx')),
    currency    TEXT NOT NULL,
    debit_limit BIGINT,
    created_at  BIGINT NOT NULL,
    UNIQUE (tenant_id, kind, currency)
);
CREATE TABLE ledger_balance (
    account_id TEXT PRIMARY KEY REFERENCES ledger_account (id),
    posted_dr  BIGINT NOT NULL CHECK (posted_dr >= 0),
    posted_cr  BIGINT NOT NULL CHECK (posted_cr >= 0),
    pending_dr BIGINT NOT NULL CHECK (pending_dr >= 0),
    pending_cr BIGINT NOT NULL CHECK (pending_cr >= 0)
);
CREATE TABLE ledger_transfer (
    id             TEXT PRIMARY KEY,
    group_id       TEXT NOT NULL,
    debit_account  TEXT NOT NULL REFERENCES ledger_account (id),
    credit_account TEXT NOT NULL REFERENCES ledger_account (id),
    amount         BIGINT NOT NULL CHECK (amount > 0),
    currency       TEXT NOT NULL,
    code           TEXT NOT NULL,
    ref_type       TEXT NOT NULL,
    ref_id         TEXT NOT NULL,
    reverses       TEXT REFERENCES ledger_transfer (id),
    booked_at      BIGINT NOT NULL,
    UNIQUE (ref_id, ref_type, code),
    CHECK (debit_account <> credit_account)
);
CREATE INDEX ledger_transfer_debit ON ledger_transfer (debit_account, booked_at);

CREATE TABLE reservation (
    request_id   TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    key_id       TEXT NOT NULL,
    account_id   TEXT NOT NULL REFERENCES ledger_account (id),
    model        TEXT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount >= 0),
    tokens_max   BIGINT NOT NULL CHECK (tokens_max >= 0),
    price_amount BIGINT NOT NULL,
    price_per    BIGINT NOT NULL,
    owner        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'voided', 'expired')),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    settled_at   BIGINT
);
CREATE INDEX reservation_open ON reservation (expires_at) WHERE state = 'pending';

CREATE TABLE usage_event (
    tenant_id      TEXT NOT NULL,
    source         TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    key_id         TEXT NOT NULL,
    operation      TEXT NOT NULL,
    model          TEXT NOT NULL,
    adapter        TEXT NOT NULL,
    adapter_id     TEXT NOT NULL,
    input_tokens   BIGINT NOT NULL CHECK (input_tokens >= 0),
    inputs         BIGINT NOT NULL CHECK (inputs >= 0),
    compute_micros BIGINT NOT NULL CHECK (compute_micros >= 0),
    amount         BIGINT NOT NULL CHECK (amount >= 0),
    transfer_id    TEXT NOT NULL,
    late           BIGINT NOT NULL,
    occurred_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, source, event_id)
);
CREATE INDEX usage_event_time ON usage_event (tenant_id, occurred_at);

CREATE TABLE cost_event (
    kind           TEXT NOT NULL,
    ref            TEXT NOT NULL,
    tenant_id      TEXT NOT NULL,
    model          TEXT NOT NULL,
    adapter        TEXT NOT NULL,
    adapter_id     TEXT NOT NULL,
    compute_micros BIGINT NOT NULL CHECK (compute_micros >= 0),
    occurred_at    BIGINT NOT NULL,
    PRIMARY KEY (kind, ref)
);
CREATE TABLE cost_rate (
    device         TEXT NOT NULL,
    effective_from BIGINT NOT NULL,
    currency       TEXT NOT NULL,
    per_hour       BIGINT NOT NULL CHECK (per_hour >= 0),
    PRIMARY KEY (device, effective_from)
);

CREATE TABLE idempotency (
    tenant_id   TEXT NOT NULL,
    route       TEXT NOT NULL,
    idem_key    TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'done')),
    runner      TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    body        TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, route, idem_key)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);
)sql";

constexpr const char* first_rows = R"sql(
INSERT INTO plan (code, version, currency, credit_limit, created_at) VALUES ('default', 1, 'USD', 100000000, 0);
INSERT INTO price (plan_code, plan_version, meter, model, amount, per)
    VALUES ('default', 1, 'input_tokens', '', 20000, 1000);
INSERT INTO cost_rate (device, effective_from, currency, per_hour) VALUES ('machine', 0, 'USD', 100000);
)sql";

// What a language model writes: a price of its own, a second bound in the reservation, and marks of how far it came.
// The default plan had no price for this meter; the one it had is not touched.
constexpr const char* output_tokens = R"sql(
INSERT INTO price (plan_code, plan_version, meter, model, amount, per)
    VALUES ('default', 1, 'output_tokens', '', 60000, 1000);
ALTER TABLE reservation ADD COLUMN output_tokens_max BIGINT NOT NULL DEFAULT 0 CHECK (output_tokens_max >= 0);
ALTER TABLE reservation ADD COLUMN output_price_amount BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reservation ADD COLUMN output_price_per BIGINT NOT NULL DEFAULT 1;
ALTER TABLE reservation ADD COLUMN operation TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN adapter TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN adapter_id TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN progress_tokens BIGINT NOT NULL DEFAULT 0 CHECK (progress_tokens >= 0);
ALTER TABLE usage_event ADD COLUMN output_tokens BIGINT NOT NULL DEFAULT 0 CHECK (output_tokens >= 0);
ALTER TABLE usage_event ADD COLUMN cached_tokens BIGINT NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0);
ALTER TABLE usage_event ADD COLUMN finish_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_event ADD COLUMN partial BIGINT NOT NULL DEFAULT 0;
DROP TRIGGER reservation_no_update;
)sql";

std::string guards() {
    std::string sql;
    for (const char* table : {"plan", "price", "ledger_transfer", "usage_event", "cost_event"})
        sql += store::append_only(table);
    sql += forbid("ledger_balance", "DELETE") + forbid("ledger_account", "DELETE");
    // pending -> posted | voided | expired, once; settled rows may be pruned one day, open ones may not.
    sql += forbid("reservation", "UPDATE",
                  "OLD.state <> 'pending' OR NEW.state = 'pending' OR NEW.amount <> OLD.amount OR "
                  "NEW.account_id <> OLD.account_id OR NEW.request_id <> OLD.request_id");
    return sql + forbid("reservation", "DELETE", "OLD.state = 'pending'");
}

// Tuning is priced by the token that was learned from, in each pass.
constexpr const char* training_price = R"sql(
INSERT INTO price (plan_code, plan_version, meter, model, amount, per)
    VALUES ('default', 1, 'training_tokens', '', 8000, 1000);
)sql";
// A table's rows are no tokens: they have a price of their own, and a reservation says what it counts. Tuning, whose
// reservations may be open, settles as before: by tokens.
constexpr const char* rows_price = R"sql(
INSERT INTO price (plan_code, plan_version, meter, model, amount, per) VALUES ('default', 1, 'rows', '', 100000, 1000);
)sql";

// An open reservation may get a further progress mark, and nothing else.
std::string progress_guard() {
    return forbid("reservation", "UPDATE",
                  "OLD.state <> 'pending' OR (NEW.state = 'pending' AND NEW.progress_tokens <= OLD.progress_tokens) OR "
                  "NEW.amount <> OLD.amount OR NEW.account_id <> OLD.account_id OR NEW.request_id <> OLD.request_id");
}

// What a grant is never changes; what is left of it falls, and its state goes on.
std::string grant_guards() {
    return forbid("wallet_grant", "UPDATE",
                  "NEW.amount <> OLD.amount OR NEW.tenant_id <> OLD.tenant_id OR NEW.kind <> OLD.kind OR "
                  "NEW.remaining > OLD.remaining OR OLD.state IN ('expired', 'voided')") +
           forbid("wallet_grant", "DELETE") + forbid("grant_use", "UPDATE") + forbid("grant_use", "DELETE");
}

std::string price_guards() {
    std::string sql;
    for (const char* table : {"plan_price", "plan_allowance"}) sql += forbid(table, "UPDATE") + forbid(table, "DELETE");
    return sql;
}

// The servers on these books, each with a lease it renews: nobody may take a living one's holds for abandoned.
constexpr const char* server_runs = R"sql(
CREATE TABLE server_run (
    id          TEXT PRIMARY KEY,
    place       TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);
)sql";

constexpr const char* key_budgets = R"sql(
CREATE TABLE key_budget (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    amount       BIGINT CHECK (amount > 0),
    period       TEXT NOT NULL CHECK (period IN ('month', 'total')),
    period_start BIGINT NOT NULL,
    spent        BIGINT NOT NULL CHECK (spent >= 0),
    held         BIGINT NOT NULL CHECK (held >= 0)
);
CREATE TABLE key_budget_key (
    key_id    TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    budget_id TEXT NOT NULL REFERENCES key_budget (id)
);
ALTER TABLE reservation ADD COLUMN budget_id TEXT NOT NULL DEFAULT '';
)sql";

}  // namespace

std::vector<store::Migration> migrations() {
    return {{2, "accounts, transfers, reservations and usage", std::string(tables) + first_rows + guards()},
            {21, "a price for tuning", training_price},
            {22, "prices and progress of output tokens", output_tokens + progress_guard()},
            {40, "a price for rows of tables", rows_price},
            {70, "plans with fees and price books", plan_tables() + price_guards()},
            {71, "subscriptions with states and terms", subscription_tables()},
            {72, "which prices a request is rated by", rating_tables()},
            {73, "grants", grant_tables() + grant_guards()},
            {80, "invoices, credit notes, taxes and dunning", invoice_tables()},
            {92, "payments, attempts and refunds", payment_tables()},
            {95, "servers and their leases", server_runs},
            {100, "budgets of keys", key_budgets},
            {140, "plans on offer", offer_tables()},
            {142, "coupons", coupon_tables()},
            {143, "partners and commissions", partner_tables()}};
}

}  // namespace rootstock::ledger
