#include "catalog/catalog.h"

namespace rootstock::catalog {
namespace {

// An empty tenant id is the house.
constexpr const char* tables = R"sql(
CREATE TABLE model (
    digest   TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    family   TEXT NOT NULL,
    source   TEXT NOT NULL,
    folder   TEXT NOT NULL,
    licence  TEXT NOT NULL,
    added_at BIGINT NOT NULL
);
CREATE INDEX model_name ON model (name, added_at);

CREATE TABLE dataset (
    tenant_id TEXT NOT NULL,
    digest    TEXT NOT NULL,
    source    TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    rejected  BIGINT NOT NULL,
    labels    TEXT NOT NULL,
    added_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

CREATE TABLE adapter (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    name           TEXT NOT NULL,
    version        BIGINT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('candidate', 'live', 'retired')),
    task           TEXT NOT NULL,
    labels         TEXT NOT NULL,
    base_digest    TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    job_id         TEXT NOT NULL,
    seed           BIGINT NOT NULL,
    settings       TEXT NOT NULL,
    metrics        TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (tenant_id, name, version)
);
CREATE TABLE adapter_promotion (
    tenant_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    number      BIGINT NOT NULL,
    adapter_id  TEXT NOT NULL REFERENCES adapter (id),
    before      BIGINT NOT NULL,
    promoted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name, number)
);
CREATE TABLE adapter_live (
    tenant_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    adapter_id TEXT NOT NULL REFERENCES adapter (id),
    promotion  BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE TABLE job (
    id            TEXT PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    settings      TEXT NOT NULL,
    progress      TEXT NOT NULL,
    error_code    TEXT NOT NULL,
    error_message TEXT NOT NULL,
    adapter_id    TEXT NOT NULL,
    seconds       DOUBLE PRECISION NOT NULL,
    created_at    BIGINT NOT NULL,
    started_at    BIGINT,
    finished_at   BIGINT
);
CREATE INDEX job_tenant ON job (tenant_id, id);

CREATE TABLE prediction (
    tenant_id   TEXT NOT NULL,
    id          TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    place       BIGINT NOT NULL,
    adapter_id  TEXT NOT NULL,
    label       TEXT NOT NULL,
    probability DOUBLE PRECISION NOT NULL,
    text_digest TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX prediction_request ON prediction (tenant_id, request_id, place);
)sql";

// A version is what it was when it was registered; only its state moves.
constexpr const char* guards = R"sql(
CREATE TRIGGER adapter_no_update BEFORE UPDATE ON adapter
WHEN NEW.id <> OLD.id OR NEW.tenant_id <> OLD.tenant_id OR NEW.name <> OLD.name OR NEW.version <> OLD.version
    OR NEW.task <> OLD.task OR NEW.labels <> OLD.labels OR NEW.base_digest <> OLD.base_digest
    OR NEW.dataset_digest <> OLD.dataset_digest OR NEW.job_id <> OLD.job_id OR NEW.seed <> OLD.seed
    OR NEW.settings <> OLD.settings OR NEW.metrics <> OLD.metrics OR NEW.created_at <> OLD.created_at
    OR NEW.state = 'candidate'
BEGIN SELECT RAISE(ABORT, 'an adapter version is never changed but for its state'); END;
CREATE TRIGGER adapter_no_delete BEFORE DELETE ON adapter
BEGIN SELECT RAISE(ABORT, 'an adapter version is never removed'); END;
CREATE TRIGGER adapter_promotion_no_update BEFORE UPDATE ON adapter_promotion
BEGIN SELECT RAISE(ABORT, 'the history of promotions is never changed'); END;
CREATE TRIGGER adapter_promotion_no_delete BEFORE DELETE ON adapter_promotion
BEGIN SELECT RAISE(ABORT, 'the history of promotions is never changed'); END;
)sql";

}  // namespace

std::vector<store::Migration> migrations() {
    return {{3, "models, adapters, jobs and predictions", std::string(tables) + guards}};
}

}  // namespace rootstock::catalog
