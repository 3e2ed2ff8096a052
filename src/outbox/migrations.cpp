#include "outbox/outbox.h"

namespace rootstock::outbox {

std::vector<store::Migration> migrations() {
    return {{90, "webhooks out", R"sql(
CREATE TABLE webhook_endpoint (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    url            TEXT NOT NULL,
    events         TEXT NOT NULL,
    generation     BIGINT NOT NULL DEFAULT 1,
    previous_until BIGINT,
    created_at     BIGINT NOT NULL,
    disabled_at    BIGINT,
    disabled_why   TEXT NOT NULL DEFAULT '',
    version        BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX webhook_endpoint_tenant ON webhook_endpoint (tenant_id, id);
CREATE TABLE webhook_event (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    type       TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE webhook_delivery (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    endpoint_id  TEXT NOT NULL REFERENCES webhook_endpoint (id),
    event_id     TEXT NOT NULL REFERENCES webhook_event (id),
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts     BIGINT NOT NULL DEFAULT 0,
    next_at      BIGINT NOT NULL,
    leased_until BIGINT NOT NULL DEFAULT 0,
    since        BIGINT NOT NULL,
    last_status  BIGINT,
    last_error   TEXT NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    done_at      BIGINT,
    UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_at) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (endpoint_id, leased_until) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_done ON webhook_delivery (endpoint_id, done_at) WHERE state = 'delivered';
)sql"},
            {91, "letters", R"sql(
CREATE TABLE letter (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts   BIGINT NOT NULL DEFAULT 0,
    next_at    BIGINT NOT NULL,
    last_error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    done_at    BIGINT
);
CREATE INDEX letter_due ON letter (next_at) WHERE state = 'waiting';
)sql"}};
}

}  // namespace rootstock::outbox
