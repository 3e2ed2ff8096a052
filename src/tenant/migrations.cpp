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
)sql"}};
}

}  // namespace rootstock::tenant
