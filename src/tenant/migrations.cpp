#include "tenant/tenant.h"

namespace rootstock::tenant {

std::vector<store::Migration> migrations() {
    return {{1, "tenants and keys", R"sql(
CREATE TABLE tenant (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    status     TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    created_at BIGINT NOT NULL
);
CREATE TABLE api_key (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenant (id),
    name       TEXT NOT NULL,
    prefix     TEXT NOT NULL UNIQUE,
    hash       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_key_tenant ON api_key (tenant_id, id);
)sql"},
            {23, "limits of tenants and keys", R"sql(
ALTER TABLE tenant ADD COLUMN requests_per_minute BIGINT;
ALTER TABLE tenant ADD COLUMN tokens_per_minute BIGINT;
ALTER TABLE tenant ADD COLUMN parallel BIGINT;
ALTER TABLE api_key ADD COLUMN requests_per_minute BIGINT;
ALTER TABLE api_key ADD COLUMN tokens_per_minute BIGINT;
ALTER TABLE api_key ADD COLUMN parallel BIGINT;
)sql"},
            // The house is a tenant without an id, so that its keys and its people hang on it like anybody's.
            {60, "the house, scopes and people", R"sql(
INSERT INTO tenant (id, name, status, created_at) VALUES ('', '(house)', 'active', 0);
ALTER TABLE tenant ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE api_key ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
CREATE TABLE person (
    id           TEXT PRIMARY KEY,
    email        TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    password     TEXT,
    confirmed_at BIGINT,
    created_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE membership (
    tenant_id  TEXT NOT NULL REFERENCES tenant (id),
    person_id  TEXT NOT NULL REFERENCES person (id),
    role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'billing', 'support', 'auditor')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
);
CREATE INDEX membership_person ON membership (person_id);
CREATE TABLE sign_in (
    id         TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    person_id  TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX sign_in_person ON sign_in (person_id, id);
)sql"},
            {61, "invitations; where keys call from, and what they came from", R"sql(
CREATE TABLE invitation (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenant (id),
    email      TEXT NOT NULL,
    role       TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    made_by    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX invitation_tenant ON invitation (tenant_id, id);
ALTER TABLE api_key ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN rotated_from TEXT;
ALTER TABLE api_key ADD COLUMN last_used_day BIGINT;
)sql"},
            {62, "second factors", R"sql(
CREATE TABLE second_factor (
    person_id    TEXT PRIMARY KEY REFERENCES person (id),
    generation   BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step    BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE recovery_code (
    person_id TEXT NOT NULL REFERENCES person (id),
    hash      TEXT NOT NULL,
    used_at   BIGINT,
    PRIMARY KEY (person_id, hash)
);
)sql"},
            {63, "models of keys", "ALTER TABLE api_key ADD COLUMN models TEXT NOT NULL DEFAULT '';"},
            // A wish that came to nothing is forgotten when it is over; of one that came true the owner's hash stays.
            {141, "signing up for a trial", R"sql(
CREATE TABLE sign_up (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    email      TEXT NOT NULL,
    name       TEXT NOT NULL,
    plan_code  TEXT NOT NULL,
    coupon     TEXT NOT NULL,
    referral   TEXT NOT NULL,
    language   TEXT NOT NULL CHECK (language IN ('en', 'zh')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX sign_up_owner ON sign_up (owner, created_at);
CREATE INDEX sign_up_open ON sign_up (expires_at) WHERE used_at IS NULL;
CREATE TABLE trial_owner (
    owner        TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenant (id),
    confirmed_at BIGINT NOT NULL
);
)sql" + store::append_only("trial_owner")}};
}

}  // namespace rootstock::tenant
