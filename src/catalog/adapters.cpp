#include "catalog/adapters.h"

#include <algorithm>
#include <charconv>

#include "catalog/rows.h"
#include "catalog/tunings.h"

namespace rootstock::catalog {
namespace {

constexpr std::size_t name_max = 63;

bool is_small_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// The owner is told what to do; for everybody else an adapter without a live version is not there.
std::unexpected<Error> not_live(store::Session& session, const TenantId& tenant, const std::string& name,
                                std::string_view reference) {
    const auto own = session.value<std::int64_t>(
        "SELECT COUNT(*) FROM adapter WHERE tenant_id = :tenant AND name = :name", tenant, name);
    if (own == 0) return no_adapter(reference);
    return fail(ErrorCode::not_found,
                "the model '" + name + "' has no live version yet: promote one with `rootstock promote " + name +
                    "`, or ask for a version as " + name + "@1",
                "model", "model_not_found");
}

// The name a tuning job gave.
Result<Adapter> resolve_tuned(store::Session& session, const TenantId& tenant, std::string_view name) {
    ROOTSTOCK_TRY(model, find_tuned_model(session, tenant, name));
    auto found = select_adapters(session, "WHERE a.id = :id", model.adapter);
    ROOTSTOCK_CHECK(found.size() == 1, "a tuned model's name stands on no adapter");
    return std::move(found.front());
}

Result<void> insert(store::Session& session, const Adapter& adapter) {
    const auto added = session.execute(
        "INSERT INTO adapter (id, tenant_id, name, version, state, task, labels, base_digest, dataset_digest, job_id, "
        "seed, settings, metrics, created_at) VALUES (:id, :tenant, :name, :version, 'candidate', :task, :labels, "
        ":base, :dataset, :job, :seed, :settings, :metrics, :created) ON CONFLICT (id) DO NOTHING",
        adapter.id, adapter.owner, adapter.name, adapter.version, adapter.task, text_column(adapter.labels),
        adapter.base_digest, adapter.dataset_digest, adapter.job, adapter.seed, text_column(adapter.settings),
        text_column(adapter.metrics), adapter.created);
    if (added == 1) return {};
    return fail(ErrorCode::already_exists, "the adapter " + adapter.id.text() + " is registered already", "adapter");
}

}  // namespace

const char* name(AdapterState state) {
    switch (state) {
        case AdapterState::candidate:
            return "candidate";
        case AdapterState::live:
            return "live";
        case AdapterState::retired:
            return "retired";
    }
    return "retired";
}

Result<void> check_name(std::string_view name) {
    const bool fits = !name.empty() && name.size() <= name_max && is_small_letter_or_digit(name.front()) &&
                      std::ranges::all_of(
                          name, [](char c) { return is_small_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
    if (fits) return {};
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(name) +
                    "' is no name for a model: use 1 to 63 small letters, digits, dots, hyphens "
                    "or underscores, beginning with a letter or digit",
                "name");
}

Reference reference_of(std::string_view text) {
    const auto at = text.find('@');
    if (at == std::string_view::npos) return {std::string(text), 0};
    const auto digits = text.substr(at + 1);
    std::int64_t version = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
    const bool whole = fault == std::errc() && end == digits.data() + digits.size() && version > 0;
    return {std::string(text.substr(0, at)), whole ? version : -1};
}

std::unexpected<Error> no_adapter(std::string_view reference) {
    return fail(ErrorCode::not_found, "the model '" + std::string(reference) + "' does not exist", "model",
                "model_not_found");
}

Result<Adapter> add_adapter(store::Session& session, Adapter adapter, Timestamp now) {
    ROOTSTOCK_CHECKED(check_name(adapter.name));
    adapter.version =
        1 + session.value<std::int64_t>(
                "SELECT COALESCE(MAX(version), 0) FROM adapter WHERE tenant_id = :tenant AND name = :name",
                adapter.owner, adapter.name);
    adapter.state = AdapterState::candidate;
    adapter.created = now;
    ROOTSTOCK_CHECKED(insert(session, adapter));
    return adapter;
}

Result<Adapter> resolve(store::Session& session, const TenantId& tenant, std::string_view reference) {
    if (reference.starts_with("ft:")) return resolve_tuned(session, tenant, reference);
    const Reference wanted = reference_of(reference);
    if (wanted.version < 0) return no_adapter(reference);
    auto found = wanted.version == 0
                     ? select_adapters(session,
                                       "JOIN adapter_live l ON l.adapter_id = a.id WHERE l.name = :name AND "
                                       "(l.tenant_id = :tenant OR l.tenant_id = '') ORDER BY l.tenant_id DESC LIMIT 1",
                                       wanted.name, tenant)
                     : select_adapters(session,
                                       "WHERE a.name = :name AND a.version = :version AND (a.tenant_id = :tenant OR "
                                       "(a.tenant_id = '' AND a.state <> 'candidate')) AND NOT EXISTS (SELECT 1 FROM "
                                       "tuned_model m WHERE m.adapter_id = a.id AND m.removed_at IS NOT NULL) ORDER BY "
                                       "a.tenant_id DESC LIMIT 1",
                                       wanted.name, wanted.version, tenant);
    if (!found.empty()) return std::move(found.front());
    if (wanted.version == 0) return not_live(session, tenant, wanted.name, reference);
    return no_adapter(reference);
}

std::vector<Adapter> list_adapters(store::Session& session, const TenantId& owner, bool everybody) {
    if (everybody) return select_adapters(session, "ORDER BY a.tenant_id, a.name, a.version");
    return select_adapters(session, "WHERE a.tenant_id = :tenant ORDER BY a.name, a.version", owner);
}

std::vector<Adapter> visible_adapters(store::Session& session, const TenantId& tenant) {
    auto adapters = select_adapters(session,
                                    "JOIN adapter_live l ON l.adapter_id = a.id WHERE l.tenant_id = :tenant OR "
                                    "l.tenant_id = '' ORDER BY a.name, a.tenant_id DESC",
                                    tenant);
    const auto shadowed = std::ranges::unique(adapters, {}, &Adapter::name);
    adapters.erase(shadowed.begin(), shadowed.end());
    return adapters;
}

}  // namespace rootstock::catalog
