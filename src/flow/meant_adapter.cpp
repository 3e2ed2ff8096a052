#include "flow/meant_adapter.h"

#include "catalog/catalog.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

Result<catalog::Adapter> newest(store::Session& session, const std::string& name, const std::string& tenant) {
    TenantId owner;
    if (!tenant.empty()) {
        ROOTSTOCK_TRY(found, tenant::find(session, tenant));
        owner = found.id;
    }
    const catalog::Adapter* best = nullptr;
    const auto adapters = catalog::list_adapters(session, owner);
    for (const auto& one : adapters)
        if ((one.reference() == name || one.name == name) && (!best || one.version > best->version)) best = &one;
    if (best) return *best;
    return fail(
        ErrorCode::not_found,
        "there is no adapter `" + name + "`; `rootstock adapters` lists them, and a PEFT folder is given by its path",
        "name", "model_not_found");
}

}  // namespace

Result<MeantAdapter> find_meant_adapter(store::Database& records, const Home& home, const std::string& name,
                                        const std::string& tenant) {
    std::error_code code;
    if (std::filesystem::exists(std::filesystem::path(name) / "adapter_config.json", code))
        return MeantAdapter{name, {}, name};
    ROOTSTOCK_TRY(adapter, records.read([&](store::Session& session) { return newest(session, name, tenant); }));
    return MeantAdapter{home.adapters() / adapter.id.text(), adapter.base_digest, adapter.reference()};
}

}  // namespace rootstock
