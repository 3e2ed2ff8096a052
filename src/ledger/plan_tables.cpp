#include "ledger/plan_tables.h"

namespace rootstock::ledger {

// Prices move into price books: rows of a plan's version, or of one tenant on it, that hold from an instant on. The
// rating is JSON (rating.h); an old price of so much for so many units is a price of one tier.
std::string plan_tables() {
    return R"sql(
ALTER TABLE plan ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN months BIGINT NOT NULL DEFAULT 1 CHECK (months IN (1, 12));
ALTER TABLE plan ADD COLUMN fee BIGINT NOT NULL DEFAULT 0 CHECK (fee >= 0);
ALTER TABLE plan ADD COLUMN commitment BIGINT NOT NULL DEFAULT 0 CHECK (commitment >= 0);
ALTER TABLE plan ADD COLUMN trial_days BIGINT NOT NULL DEFAULT 0 CHECK (trial_days >= 0);
ALTER TABLE plan ADD COLUMN trial_credit BIGINT NOT NULL DEFAULT 0 CHECK (trial_credit >= 0);
ALTER TABLE plan ADD COLUMN requests_per_minute BIGINT;
ALTER TABLE plan ADD COLUMN tokens_per_minute BIGINT;
ALTER TABLE plan ADD COLUMN parallel BIGINT;
CREATE TABLE plan_price (
    id              TEXT PRIMARY KEY,
    plan_code       TEXT NOT NULL,
    plan_version    BIGINT NOT NULL,
    tenant_id       TEXT NOT NULL,
    meter           TEXT NOT NULL,
    model           TEXT NOT NULL,
    rating          TEXT NOT NULL,
    effective_from  BIGINT NOT NULL,
    effective_until BIGINT,
    created_at      BIGINT NOT NULL,
    UNIQUE (plan_code, plan_version, tenant_id, meter, model, effective_from),
    FOREIGN KEY (plan_code, plan_version) REFERENCES plan (code, version)
);
CREATE TABLE plan_allowance (
    plan_code    TEXT NOT NULL,
    plan_version BIGINT NOT NULL,
    meter        TEXT NOT NULL,
    quantity     BIGINT NOT NULL CHECK (quantity >= 0),
    hard         BIGINT NOT NULL,
    PRIMARY KEY (plan_code, plan_version, meter),
    FOREIGN KEY (plan_code, plan_version) REFERENCES plan (code, version)
);
INSERT INTO plan_price (id, plan_code, plan_version, tenant_id, meter, model, rating, effective_from, effective_until,
                        created_at)
    SELECT 'pri_' || plan_code || '_' || plan_version || '_' || meter || '_' || model, plan_code, plan_version, '', meter,
           model, '{"mode":"per_unit","tiers":[{"nano_per_million":' ||
           CASE WHEN 1000000 % per = 0 THEN amount * 1000 * (1000000 / per) ELSE amount * 1000000000 / per END || '}]}',
           0, NULL, 0
    FROM price;
DROP TABLE price;
)sql";
}

// A subscription keeps its id through changes of the plan; its terms say which version held when. Who was on a plan
// before has calendar months in UTC, as his invoices had.
std::string subscription_tables() {
    return R"sql(
ALTER TABLE subscription ADD COLUMN status TEXT NOT NULL DEFAULT 'active'
    CHECK (status IN ('trial', 'active', 'past_due', 'suspended', 'canceled'));
ALTER TABLE subscription ADD COLUMN timezone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE subscription ADD COLUMN anchor TEXT NOT NULL DEFAULT '1970-01-01';
ALTER TABLE subscription ADD COLUMN payable BIGINT NOT NULL DEFAULT 1;
ALTER TABLE subscription ADD COLUMN trial_end BIGINT;
ALTER TABLE subscription ADD COLUMN past_due_at BIGINT;
ALTER TABLE subscription ADD COLUMN cancel_at BIGINT;
ALTER TABLE subscription ADD COLUMN change_at BIGINT;
ALTER TABLE subscription ADD COLUMN change_code TEXT NOT NULL DEFAULT '';
ALTER TABLE subscription ADD COLUMN change_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
UPDATE subscription SET status = 'canceled' WHERE ended_at IS NOT NULL;
CREATE INDEX subscription_tenant ON subscription (tenant_id, started_at);
CREATE TABLE subscription_term (
    subscription_id TEXT NOT NULL REFERENCES subscription (id),
    tenant_id       TEXT NOT NULL,
    plan_code       TEXT NOT NULL,
    plan_version    BIGINT NOT NULL,
    trial           BIGINT NOT NULL DEFAULT 0,
    started_at      BIGINT NOT NULL,
    ended_at        BIGINT,
    number          BIGINT NOT NULL,
    PRIMARY KEY (subscription_id, number),
    FOREIGN KEY (plan_code, plan_version) REFERENCES plan (code, version)
);
CREATE INDEX subscription_term_tenant ON subscription_term (tenant_id, started_at);
INSERT INTO subscription_term (subscription_id, tenant_id, plan_code, plan_version, started_at, ended_at, number)
    SELECT id, tenant_id, plan_code, plan_version, started_at, ended_at, 1 FROM subscription;
)sql";
}

// Which prices a request is rated by; `counts` is the meter of what goes in. `rated` names the prices whose amount
// depends on the period's whole quantity: bit 1 the input's, 2 the output's, 4 the requests'; period_usage folds them.
// allowance counts what a plan's allowance limits.
std::string rating_tables() {
    return R"sql(
ALTER TABLE reservation ADD COLUMN counts TEXT NOT NULL DEFAULT 'input_tokens';
ALTER TABLE reservation ADD COLUMN price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN output_price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN cached_price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN cached_price_amount BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reservation ADD COLUMN request_price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE reservation ADD COLUMN request_amount BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reservation ADD COLUMN rated BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reservation ADD COLUMN period_start BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reservation ADD COLUMN allowance BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_event ADD COLUMN price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_event ADD COLUMN output_price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_event ADD COLUMN cached_price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_event ADD COLUMN request_price_id TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_event ADD COLUMN rated_amount BIGINT NOT NULL DEFAULT 0;
CREATE TABLE period_usage (
    tenant_id    TEXT NOT NULL,
    price_id     TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    quantity     BIGINT NOT NULL CHECK (quantity >= 0),
    charged      BIGINT NOT NULL CHECK (charged >= 0),
    PRIMARY KEY (tenant_id, price_id, period_start)
);
CREATE TABLE allowance (
    tenant_id    TEXT NOT NULL,
    meter        TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    used         BIGINT NOT NULL CHECK (used >= 0),
    held         BIGINT NOT NULL CHECK (held >= 0),
    PRIMARY KEY (tenant_id, meter, period_start)
);
)sql";
}

// A grant stands on the tenant's receivable as credit, so that admission is one statement as before; what it paid for
// is told by grant_use.
std::string grant_tables() {
    return R"sql(
CREATE TABLE wallet_grant (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('trial', 'promo', 'purchased')),
    state        TEXT NOT NULL CHECK (state IN ('scheduled', 'active', 'exhausted', 'expired', 'voided')),
    currency     TEXT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount > 0),
    remaining    BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= amount),
    priority     BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    expires_at   BIGINT,
    source       TEXT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX wallet_grant_tenant ON wallet_grant (tenant_id, state);
CREATE TABLE grant_use (
    grant_id  TEXT NOT NULL REFERENCES wallet_grant (id),
    ref_type  TEXT NOT NULL,
    ref_id    TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    amount    BIGINT NOT NULL CHECK (amount > 0),
    used_at   BIGINT NOT NULL,
    PRIMARY KEY (grant_id, ref_type, ref_id)
);
CREATE INDEX grant_use_tenant ON grant_use (tenant_id, used_at);
)sql";
}

}  // namespace rootstock::ledger
