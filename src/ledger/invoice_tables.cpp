#include "ledger/guards.h"

#include "store/store.h"

namespace rootstock::ledger {
namespace {

// Amounts are minor units of the invoice's currency, instants microseconds UTC. An empty tenant id is the house, the
// issuer of every invoice.
constexpr const char* tables = R"sql(
CREATE TABLE billing_details (
    tenant_id  TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    address    TEXT NOT NULL,
    country    TEXT NOT NULL,
    region     TEXT NOT NULL,
    tax_id     TEXT NOT NULL,
    email      TEXT NOT NULL,
    language   TEXT NOT NULL CHECK (language IN ('en', 'zh')),
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE tax_rate (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    country      TEXT NOT NULL,
    region       TEXT NOT NULL,
    basis_points BIGINT NOT NULL CHECK (basis_points >= 0 AND basis_points <= 10000),
    inclusive    BIGINT NOT NULL,
    starts_at    BIGINT NOT NULL,
    ends_at      BIGINT,
    created_at   BIGINT NOT NULL
);
CREATE TABLE invoice_series (
    issuer TEXT NOT NULL,
    series TEXT NOT NULL,
    last   BIGINT NOT NULL CHECK (last > 0),
    PRIMARY KEY (issuer, series)
);
CREATE TABLE invoice (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('period', 'manual')),
    issuer          TEXT NOT NULL,
    series          TEXT NOT NULL,
    number          BIGINT NOT NULL CHECK (number >= 0),
    status          TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    currency        TEXT NOT NULL,
    decimals        BIGINT NOT NULL,
    period_start    BIGINT NOT NULL,
    period_end      BIGINT NOT NULL CHECK (period_end > period_start),
    customer        TEXT NOT NULL,
    wanted_lines    TEXT NOT NULL,
    issued_at       BIGINT,
    due_at          BIGINT,
    due_days        BIGINT NOT NULL CHECK (due_days >= 0),
    subtotal        BIGINT NOT NULL,
    tax             BIGINT NOT NULL,
    credits         BIGINT NOT NULL,
    total           BIGINT NOT NULL CHECK (total >= 0),
    paid            BIGINT NOT NULL CHECK (paid >= 0),
    offset_amount   BIGINT NOT NULL CHECK (offset_amount >= 0),
    replaces        TEXT NOT NULL,
    snapshot        TEXT NOT NULL,
    content_sha256  TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    closed_at       BIGINT,
    CHECK ((status = 'draft') = (number = 0)),
    CHECK (paid + offset_amount <= total),
    CHECK (status = 'draft' OR subtotal + tax - credits = total)
);
CREATE UNIQUE INDEX invoice_live ON invoice (tenant_id, subscription_id, period_start, kind)
    WHERE status <> 'void' AND kind <> 'manual';
CREATE UNIQUE INDEX invoice_numbers ON invoice (issuer, series, number) WHERE number > 0;
CREATE INDEX invoice_period ON invoice (tenant_id, period_end);
CREATE INDEX invoice_owed ON invoice (due_at) WHERE status = 'open';

CREATE TABLE invoice_line (
    invoice_id    TEXT NOT NULL REFERENCES invoice (id),
    position      BIGINT NOT NULL CHECK (position > 0),
    origin_start  BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    meter         TEXT NOT NULL,
    model         TEXT NOT NULL,
    quantity      BIGINT NOT NULL,
    unit          TEXT NOT NULL,
    service_start BIGINT NOT NULL,
    service_end   BIGINT NOT NULL,
    charged       BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    tax           BIGINT NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (invoice_id, position)
);
CREATE TABLE invoice_tax (
    invoice_id   TEXT NOT NULL REFERENCES invoice (id),
    rate_id      TEXT NOT NULL REFERENCES tax_rate (id),
    position     BIGINT NOT NULL,
    base         BIGINT NOT NULL,
    amount       BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, rate_id)
);
CREATE TABLE invoice_service (
    invoice_id    TEXT NOT NULL REFERENCES invoice (id),
    service_start BIGINT NOT NULL,
    service_end   BIGINT NOT NULL,
    booked        BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, service_start)
);
CREATE TABLE invoice_payment (
    provider_ref TEXT PRIMARY KEY,
    invoice_id   TEXT NOT NULL REFERENCES invoice (id),
    amount       BIGINT NOT NULL CHECK (amount > 0),
    applied      BIGINT NOT NULL CHECK (applied >= 0),
    booked_at    BIGINT NOT NULL
);
CREATE INDEX invoice_payment_invoice ON invoice_payment (invoice_id);

CREATE TABLE credit_note (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    invoice_id     TEXT NOT NULL REFERENCES invoice (id),
    kind           TEXT NOT NULL CHECK (kind IN ('credit', 'refund', 'offset')),
    issuer         TEXT NOT NULL,
    series         TEXT NOT NULL,
    number         BIGINT NOT NULL CHECK (number > 0),
    reason         TEXT NOT NULL,
    amount         BIGINT NOT NULL,
    tax            BIGINT NOT NULL,
    content_sha256 TEXT NOT NULL,
    issued_at      BIGINT NOT NULL,
    refund_ref     TEXT NOT NULL,
    refunded_at    BIGINT,
    CHECK (amount + tax > 0),
    UNIQUE (issuer, series, number)
);
CREATE INDEX credit_note_invoice ON credit_note (invoice_id);
CREATE TABLE credit_note_line (
    credit_note_id TEXT NOT NULL REFERENCES credit_note (id),
    position       BIGINT NOT NULL,
    amount         BIGINT NOT NULL,
    tax            BIGINT NOT NULL,
    PRIMARY KEY (credit_note_id, position)
);
CREATE TABLE dunning (
    invoice_id TEXT NOT NULL REFERENCES invoice (id),
    step       BIGINT NOT NULL CHECK (step >= 0),
    tenant_id  TEXT NOT NULL,
    day        BIGINT NOT NULL,
    action     TEXT NOT NULL CHECK (action IN ('remind', 'suspend', 'cancel')),
    skipped    BIGINT NOT NULL,
    taken_at   BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, step)
);
)sql";

// An invoice with a number keeps everything that stands on it. Its status goes on, and what was paid only grows.
constexpr const char* issued_changes =
    "OLD.status <> 'draft' AND (NEW.id <> OLD.id OR NEW.tenant_id <> OLD.tenant_id OR "
    "NEW.subscription_id <> OLD.subscription_id OR NEW.kind <> OLD.kind OR NEW.issuer <> OLD.issuer OR "
    "NEW.series <> OLD.series OR NEW.number <> OLD.number OR NEW.currency <> OLD.currency OR "
    "NEW.period_start <> OLD.period_start OR NEW.period_end <> OLD.period_end OR NEW.issued_at <> OLD.issued_at OR "
    "NEW.due_at <> OLD.due_at OR NEW.subtotal <> OLD.subtotal OR NEW.tax <> OLD.tax OR NEW.credits <> OLD.credits OR "
    "NEW.total <> OLD.total OR NEW.paid < OLD.paid OR NEW.offset_amount < OLD.offset_amount OR "
    "NEW.replaces <> OLD.replaces OR NEW.snapshot <> OLD.snapshot OR NEW.content_sha256 <> OLD.content_sha256 OR "
    "NEW.status = 'draft' OR OLD.status = 'void' OR (OLD.status = 'paid' AND NEW.status <> 'paid'))";

constexpr const char* note_changes =
    "OLD.refunded_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.tenant_id <> OLD.tenant_id OR "
    "NEW.invoice_id <> OLD.invoice_id OR NEW.kind <> OLD.kind OR NEW.number <> OLD.number OR "
    "NEW.series <> OLD.series OR NEW.amount <> OLD.amount OR NEW.tax <> OLD.tax OR NEW.reason <> OLD.reason OR "
    "NEW.content_sha256 <> OLD.content_sha256 OR NEW.issued_at <> OLD.issued_at";

}  // namespace

std::string forbid(const std::string& table, const std::string& verb, const std::string& when) {
    return store::forbid(table, verb, table + " rows are never changed or removed", when);
}

std::string invoice_tables() {
    std::string sql = tables;
    for (const char* table :
         {"invoice_line", "invoice_tax", "invoice_service", "invoice_payment", "credit_note_line", "dunning"})
        sql += forbid(table, "UPDATE") + forbid(table, "DELETE");
    sql += forbid("invoice", "UPDATE", issued_changes) + forbid("invoice", "DELETE", "OLD.number > 0");
    sql += forbid("credit_note", "UPDATE", note_changes) + forbid("credit_note", "DELETE");
    sql += forbid("invoice_series", "UPDATE", "NEW.last <> OLD.last + 1") + forbid("invoice_series", "DELETE");
    // A rate ends, once.
    sql += forbid("tax_rate", "UPDATE",
                  "OLD.ends_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.country <> OLD.country "
                  "OR NEW.region <> OLD.region OR NEW.basis_points <> OLD.basis_points OR "
                  "NEW.inclusive <> OLD.inclusive OR NEW.starts_at <> OLD.starts_at");
    return sql + forbid("tax_rate", "DELETE");
}

}  // namespace rootstock::ledger
