#include "ledger/growth_tables.h"

#include "ledger/guards.h"
#include "store/store.h"

namespace rootstock::ledger {

// A plan's versions never change; whether it is shown, and what is said of it, does.
std::string offer_tables() {
    return R"sql(
CREATE TABLE plan_offer (
    plan_code  TEXT PRIMARY KEY,
    position   BIGINT NOT NULL CHECK (position >= 0),
    name_zh    TEXT NOT NULL,
    summary    TEXT NOT NULL,
    summary_zh TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
)sql";
}

// Amounts are minor units. What a coupon is worth never changes, so that an invoice can be computed again.
std::string coupon_tables() {
    return R"sql(
CREATE TABLE coupon (
    code            TEXT PRIMARY KEY,
    basis_points    BIGINT NOT NULL CHECK (basis_points >= 0 AND basis_points <= 10000),
    amount          BIGINT NOT NULL CHECK (amount >= 0),
    currency        TEXT NOT NULL,
    months          BIGINT CHECK (months > 0),
    plans           TEXT NOT NULL,
    valid_until     BIGINT,
    redemptions_max BIGINT CHECK (redemptions_max > 0),
    redeemed        BIGINT NOT NULL,
    ended_at        BIGINT,
    created_at      BIGINT NOT NULL,
    CHECK ((basis_points > 0) <> (amount > 0)),
    CHECK (redemptions_max IS NULL OR redeemed <= redemptions_max)
);
CREATE TABLE coupon_redemption (
    id          TEXT PRIMARY KEY,
    coupon      TEXT NOT NULL REFERENCES coupon (code),
    tenant_id   TEXT NOT NULL,
    holds_from  BIGINT NOT NULL,
    holds_until BIGINT,
    redeemed_at BIGINT NOT NULL,
    UNIQUE (tenant_id, coupon)
);
)sql" +
           forbid("coupon", "UPDATE",
                  "NEW.basis_points <> OLD.basis_points OR NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency OR "
                  "NEW.plans <> OLD.plans OR NEW.redeemed < OLD.redeemed OR COALESCE(NEW.months, 0) <> "
                  "COALESCE(OLD.months, 0)") +
           forbid("coupon", "DELETE") + store::append_only("coupon_redemption");
}

// A commission is a row for each step up or down of what an invoice earns its partner; being paid out is all that may
// happen to it.
std::string partner_tables() {
    return R"sql(
CREATE TABLE partner (
    id           TEXT PRIMARY KEY,
    code         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    email        TEXT NOT NULL,
    basis_points BIGINT NOT NULL CHECK (basis_points > 0 AND basis_points <= 10000),
    hold_days    BIGINT NOT NULL CHECK (hold_days >= 0),
    months       BIGINT NOT NULL CHECK (months >= 0),
    customer     TEXT NOT NULL,
    ended_at     BIGINT,
    created_at   BIGINT NOT NULL
);
CREATE TABLE attribution (
    tenant_id     TEXT PRIMARY KEY,
    partner_id    TEXT NOT NULL REFERENCES partner (id),
    rule          TEXT NOT NULL CHECK (rule IN ('first')),
    evidence      TEXT NOT NULL,
    attributed_at BIGINT NOT NULL,
    until_at      BIGINT
);
CREATE INDEX attribution_partner ON attribution (partner_id, tenant_id);
CREATE TABLE payout (
    id         TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL REFERENCES partner (id),
    currency   TEXT NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    reference  TEXT NOT NULL,
    paid_at    BIGINT NOT NULL,
    UNIQUE (partner_id, currency, reference)
);
CREATE TABLE commission (
    id         TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL REFERENCES partner (id),
    tenant_id  TEXT NOT NULL,
    invoice_id TEXT NOT NULL REFERENCES invoice (id),
    number     BIGINT NOT NULL CHECK (number > 0),
    currency   TEXT NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount <> 0),
    booked_at  BIGINT NOT NULL,
    hold_until BIGINT NOT NULL,
    payout_id  TEXT NOT NULL,
    UNIQUE (invoice_id, number)
);
CREATE INDEX commission_partner ON commission (partner_id, id);
)sql" +
           forbid(
               "commission", "UPDATE",
               "OLD.payout_id <> '' OR NEW.amount <> OLD.amount OR NEW.partner_id <> OLD.partner_id OR NEW.invoice_id "
               "<> OLD.invoice_id OR NEW.hold_until <> OLD.hold_until OR NEW.currency <> OLD.currency") +
           forbid("commission", "DELETE") + store::append_only("attribution") + store::append_only("payout") +
           forbid("partner", "DELETE");
}

}  // namespace rootstock::ledger
