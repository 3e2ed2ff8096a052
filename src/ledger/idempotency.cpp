#include "ledger/idempotency.h"

#include <algorithm>

namespace rootstock::ledger {
namespace {

Timestamp after(Timestamp now, std::chrono::microseconds by) { return {now.micros + by.count()}; }

json::value sorted(const json::value& value) {
    if (value.is_array()) {
        json::array result;
        for (const json::value& item : value.get_array()) result.push_back(sorted(item));
        return result;
    }
    if (!value.is_object()) return value;
    std::vector<const json::key_value_pair*> pairs;
    for (const auto& pair : value.get_object()) pairs.push_back(&pair);
    std::ranges::sort(pairs, {}, [](const auto* pair) { return std::string_view(pair->key()); });
    json::object result;
    for (const auto* pair : pairs) result.emplace(pair->key(), sorted(pair->value()));
    return result;
}

struct Record {
    std::string fingerprint, state;
    Timestamp lease_until, expires;
    int status = 0;
    std::string body;
};

Record find(store::Session& session, const IdempotencyKey& key) {
    auto row = session.first<std::string, std::string, Timestamp, Timestamp, int, std::string>(
        "SELECT fingerprint, state, lease_until, expires_at, status, body FROM idempotency "
        "WHERE tenant_id = :tenant AND route = :route AND idem_key = :key",
        key.tenant, key.route, key.key);
    ROOTSTOCK_CHECK(row.has_value(), "an idempotency record vanished inside a transaction");
    return std::make_from_tuple<Record>(std::move(*row));
}

bool insert(store::Session& session, const IdempotencyKey& key, const std::string& fingerprint, const RequestId& runner,
            Timestamp now) {
    return session.execute(
               "INSERT INTO idempotency (tenant_id, route, idem_key, fingerprint, state, runner, lease_until, status, "
               "body, expires_at) VALUES (:tenant, :route, :key, :fingerprint, 'running', :runner, :lease, 0, '', "
               ":expires) ON CONFLICT (tenant_id, route, idem_key) DO NOTHING",
               key.tenant, key.route, key.key, fingerprint, runner, after(now, idempotency_lease),
               after(now, idempotency_kept)) == 1;
}

void take_over(store::Session& session, const IdempotencyKey& key, const std::string& fingerprint,
               const RequestId& runner, Timestamp now) {
    session.execute(
        "UPDATE idempotency SET fingerprint = :fingerprint, state = 'running', runner = :runner, lease_until = :lease, "
        "status = 0, body = '', expires_at = :expires "
        "WHERE tenant_id = :tenant AND route = :route AND idem_key = :key",
        fingerprint, runner, after(now, idempotency_lease), after(now, idempotency_kept), key.tenant, key.route,
        key.key);
}

std::chrono::seconds whole_seconds(std::int64_t micros) { return std::chrono::seconds((micros + 999'999) / 1'000'000); }

}  // namespace

std::string fingerprint(const json::value& body) { return sha256_hex(json::serialize(sorted(body))); }

Result<Idempotency> claim(store::Session& session, const IdempotencyKey& key, const std::string& fingerprint,
                          const RequestId& runner, Timestamp now) {
    if (key.key.empty() || key.key.size() > idempotency_key_max)
        return fail(ErrorCode::invalid_argument, "an Idempotency-Key has 1 to 255 characters", "Idempotency-Key");
    if (insert(session, key, fingerprint, runner, now)) return Idempotency{};
    const Record record = find(session, key);
    const bool over = record.expires <= now;
    if (!over && record.fingerprint != fingerprint) return Idempotency{IdempotencyState::other_body, 0, {}};
    if (!over && record.state == "done") return Idempotency{IdempotencyState::replay, record.status, record.body};
    if (!over && record.lease_until > now)
        return Idempotency{IdempotencyState::running, 0, {}, whole_seconds(record.lease_until.micros - now.micros)};
    take_over(session, key, fingerprint, runner, now);
    return Idempotency{};
}

Result<void> finish(store::Session& session, const IdempotencyKey& key, const RequestId& runner, int status,
                    const std::string& body, Timestamp now) {
    const auto changed = session.execute(
        "UPDATE idempotency SET state = 'done', status = :status, body = :body, expires_at = :expires "
        "WHERE tenant_id = :tenant AND route = :route AND idem_key = :key AND runner = :runner AND state = 'running'",
        status, body, after(now, idempotency_kept), key.tenant, key.route, key.key, runner);
    if (changed == 1) return {};
    return fail(ErrorCode::conflict, "another request with this Idempotency-Key has taken over", "Idempotency-Key",
                "idempotency_lost");
}

void abandon(store::Session& session, const IdempotencyKey& key, const RequestId& runner) {
    session.execute(
        "DELETE FROM idempotency WHERE tenant_id = :tenant AND route = :route AND idem_key = :key "
        "AND runner = :runner AND state = 'running'",
        key.tenant, key.route, key.key, runner);
}

std::int64_t free_abandoned_keys(store::Session& session) {
    return session.execute("DELETE FROM idempotency WHERE state = 'running'");
}

std::int64_t forget_old_keys(store::Session& session, Timestamp now) {
    return session.execute("DELETE FROM idempotency WHERE expires_at <= :now", now);
}

}  // namespace rootstock::ledger
