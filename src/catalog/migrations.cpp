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

constexpr const char* files_and_leases = R"sql(
CREATE TABLE file (
    tenant_id  TEXT NOT NULL,
    id         TEXT NOT NULL,
    filename   TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    bytes      BIGINT NOT NULL CHECK (bytes >= 0),
    sha256     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX file_expiry ON file (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE upload (
    tenant_id    TEXT NOT NULL,
    id           TEXT NOT NULL,
    filename     TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    mime_type    TEXT NOT NULL,
    bytes        BIGINT NOT NULL CHECK (bytes >= 0),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'completed', 'cancelled', 'expired')),
    file_id      TEXT NOT NULL,
    file_seconds BIGINT,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX upload_pending ON upload (expires_at) WHERE state = 'pending';
CREATE TABLE upload_part (
    tenant_id  TEXT NOT NULL,
    upload_id  TEXT NOT NULL,
    id         TEXT NOT NULL,
    bytes      BIGINT NOT NULL CHECK (bytes >= 0),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, upload_id, id)
);

-- Jobs get leases. Those that are there belong to the command line.
CREATE TABLE job_leased (
    id            TEXT PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('validating_files', 'queued', 'running', 'paused', 'succeeded',
                  'failed', 'cancelled')),
    wish          TEXT NOT NULL CHECK (wish IN ('run', 'pause', 'cancel')),
    settings      TEXT NOT NULL,
    progress      TEXT NOT NULL,
    error_code    TEXT NOT NULL,
    error_message TEXT NOT NULL,
    error_param   TEXT NOT NULL,
    adapter_id    TEXT NOT NULL,
    seconds       DOUBLE PRECISION NOT NULL,
    worker        TEXT NOT NULL,
    fence         BIGINT NOT NULL,
    lease_until   BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    started_at    BIGINT,
    finished_at   BIGINT
);
INSERT INTO job_leased SELECT id, tenant_id, kind, state, 'run', settings, progress, error_code, error_message, '',
    adapter_id, seconds, 'command', 0, 0, 0, created_at, started_at, finished_at FROM job;
DROP TABLE job;
ALTER TABLE job_leased RENAME TO job;
CREATE INDEX job_tenant ON job (tenant_id, id);
CREATE INDEX job_open ON job (kind, id) WHERE state IN ('validating_files', 'queued', 'running');

CREATE TABLE tuning (
    tenant_id       TEXT NOT NULL,
    id              TEXT NOT NULL,
    tenant_name     TEXT NOT NULL,
    model           TEXT NOT NULL,
    training_file   TEXT NOT NULL,
    validation_file TEXT NOT NULL,
    suffix          TEXT NOT NULL,
    seed            BIGINT NOT NULL,
    hyperparameters TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    tuned_model     TEXT NOT NULL,
    trained_tokens  BIGINT,
    result_file     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE job_event (
    tenant_id  TEXT NOT NULL,
    job_id     TEXT NOT NULL,
    id         TEXT NOT NULL,
    level      TEXT NOT NULL CHECK (level IN ('info', 'warn', 'error')),
    type       TEXT NOT NULL CHECK (type IN ('message', 'metrics')),
    message    TEXT NOT NULL,
    data       TEXT NOT NULL,
    mark       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, job_id, id),
    UNIQUE (tenant_id, job_id, mark)
);
CREATE TABLE tuned_model (
    tenant_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    adapter_id TEXT NOT NULL,
    job_id     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX tuned_model_adapter ON tuned_model (adapter_id);

CREATE TABLE batch (
    tenant_id      TEXT NOT NULL,
    id             TEXT NOT NULL,
    key_id         TEXT NOT NULL,
    endpoint       TEXT NOT NULL,
    model          TEXT NOT NULL,
    input_file     TEXT NOT NULL,
    output_file    TEXT NOT NULL,
    error_file     TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('validating', 'failed', 'in_progress', 'finalizing', 'completed',
                   'expired', 'cancelling', 'cancelled')),
    problems       TEXT NOT NULL,
    metadata       TEXT NOT NULL,
    output_seconds BIGINT,
    total          BIGINT NOT NULL,
    completed      BIGINT NOT NULL,
    failed         BIGINT NOT NULL,
    input_tokens   BIGINT NOT NULL,
    output_tokens  BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    in_progress_at BIGINT,
    finalizing_at  BIGINT,
    completed_at   BIGINT,
    failed_at      BIGINT,
    expired_at     BIGINT,
    cancelling_at  BIGINT,
    cancelled_at   BIGINT,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX batch_open ON batch (id) WHERE state IN ('validating', 'in_progress', 'finalizing', 'cancelling');

CREATE TABLE feedback (
    tenant_id     TEXT NOT NULL,
    id            TEXT NOT NULL,
    prediction_id TEXT NOT NULL,
    good          BIGINT,
    correction    TEXT NOT NULL,
    comment       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, prediction_id) REFERENCES prediction (tenant_id, id)
);
CREATE INDEX feedback_prediction ON feedback (tenant_id, prediction_id, id);
CREATE TRIGGER feedback_no_update BEFORE UPDATE ON feedback
BEGIN SELECT RAISE(ABORT, 'feedback is appended, never changed'); END;
CREATE TRIGGER feedback_no_delete BEFORE DELETE ON feedback
BEGIN SELECT RAISE(ABORT, 'feedback is appended, never removed'); END;
)sql";

}  // namespace

std::vector<store::Migration> migrations() {
    return {{3, "models, adapters, jobs and predictions", std::string(tables) + guards},
            {20, "files, leased jobs, tunings, batches and feedback", files_and_leases}};
}

}  // namespace rootstock::catalog
