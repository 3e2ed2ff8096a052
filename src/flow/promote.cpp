#include "flow/promote.h"

#include <algorithm>
#include <map>

#include "flow/intake.h"
#include "flow/tuning/measure.h"
#include "infer/infer.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

Result<TenantId> owner_of(store::Session& session, const std::string& tenant) {
    if (tenant.empty()) return TenantId();
    ROOTSTOCK_TRY(found, tenant::find(session, tenant));
    return found.id;
}

std::unexpected<Error> unknown(store::Session& session, const TenantId& owner, const std::string& reference) {
    std::string known;
    for (const auto& adapter : catalog::list_adapters(session, owner))
        known += (known.empty() ? "" : ", ") + adapter.reference();
    return fail(
        ErrorCode::not_found,
        "there is no adapter `" + reference + "`" + (owner.empty() ? "" : " of this tenant") + "; " +
            (known.empty() ? "none is registered yet: make one with `rootstock finetune`" : "known are: " + known),
        "name", "model_not_found");
}

// The version that a promotion of `reference` would make live: its own, or the newest of the name.
Result<catalog::Adapter> wanted(store::Session& session, const TenantId& owner, const std::string& reference) {
    const catalog::Adapter* best = nullptr;
    auto adapters = catalog::list_adapters(session, owner);
    for (const auto& adapter : adapters) {
        bool fits = adapter.reference() == reference || adapter.name == reference;
        if (fits && (!best || adapter.version > best->version)) best = &adapter;
    }
    if (!best) return unknown(session, owner, reference);
    return *best;
}

Result<std::string> check_table(const Home& home, const catalog::Adapter& adapter) {
    ROOTSTOCK_TRY(model, TableModel::load(home.adapters() / adapter.id.text()));
    return model.check();
}

Result<std::string> check_adapter(store::Database& records, const Home& home, const catalog::Adapter& adapter) {
    ROOTSTOCK_TRY(base, find_base(records, home, adapter.base_digest));
    ROOTSTOCK_TRY(bench, Bench::open(home.models() / base.folder, base.digest, home.adapters() / adapter.id.text()));
    return bench.check();
}

Result<std::string> check_here(store::Database& records, const Home& home, const catalog::Adapter& adapter) {
    auto checked = adapter.task == "table" ? check_table(home, adapter) : check_adapter(records, home, adapter);
    if (checked) return checked;
    auto error = checked.error();
    error.message = adapter.reference() + " stays as it is: " + error.message;
    return fail(std::move(error));
}

Result<Promoted> roll_back(store::Database& records, Clock& clock, const PromoteOrder& order) {
    return records.write_now([&](store::Session& session) -> Result<Promoted> {
        ROOTSTOCK_TRY(owner, owner_of(session, order.tenant));
        auto name = order.reference.substr(0, order.reference.find('@'));
        auto moved = catalog::rollback(session, owner, name, clock.now());
        if (!moved && moved.error().code == ErrorCode::not_found) return unknown(session, owner, name);
        if (!moved) return fail(moved.error());
        return Promoted{moved->live, moved->before, {}, false};
    });
}

}  // namespace

Result<Promoted> promote_adapter(store::Database& records, const Home& home, Clock& clock, const PromoteOrder& order) {
    if (order.rollback) return roll_back(records, clock, order);
    TenantId owner;
    ROOTSTOCK_TRY(adapter, records.read([&](store::Session& session) -> Result<catalog::Adapter> {
        ROOTSTOCK_TRY(found, owner_of(session, order.tenant));
        owner = found;
        return wanted(session, owner, order.reference);
    }));
    if (adapter.state == catalog::AdapterState::live) return Promoted{adapter, {}, {}, true};
    ROOTSTOCK_TRY(checked, check_here(records, home, adapter));
    return records.write_now([&](store::Session& session) -> Result<Promoted> {
        ROOTSTOCK_TRY(moved, catalog::promote(session, owner, adapter.reference(), clock.now()));
        return Promoted{moved.live, moved.before, checked, false};
    });
}

Result<std::vector<ListedAdapter>> list_all_adapters(store::Database& records, const std::string& tenant) {
    return records.read([&](store::Session& session) -> Result<std::vector<ListedAdapter>> {
        ROOTSTOCK_TRY(owner, owner_of(session, tenant));
        std::map<TenantId, std::string> names;
        std::map<std::string, std::string> bases;
        for (const auto& known : tenant::list(session)) names[known.id] = known.name;
        for (const auto& model : catalog::list_models(session)) bases[model.digest] = model.name;
        std::vector<ListedAdapter> listed;
        for (auto& adapter : catalog::list_adapters(session, owner, tenant.empty())) {
            auto of = names[adapter.owner], base = bases[adapter.base_digest];
            listed.push_back({std::move(adapter), of, base});
        }
        return listed;
    });
}

}  // namespace rootstock
