#include "catalog/rows.h"

namespace rootstock::catalog {
namespace {

// Promotions of a name form a chain: each knows the number of the one before it (0: none). The live pointer stands
// on one of them; rollback steps to its predecessor, so that it can be repeated back to the first.
struct Live {
    AdapterId adapter;
    std::int64_t promotion = 0;
};

Live live_of(store::Session& session, const TenantId& owner, const std::string& name) {
    auto row = session.first<AdapterId, std::int64_t>(
        "SELECT adapter_id, promotion FROM adapter_live WHERE tenant_id = :tenant AND name = :name", owner, name);
    if (!row) return {};
    return {std::move(std::get<0>(*row)), std::get<1>(*row)};
}

void set_state(store::Session& session, const AdapterId& adapter, AdapterState state) {
    session.execute("UPDATE adapter SET state = :state WHERE id = :id", std::string(name(state)), adapter);
}

Adapter by_id(store::Session& session, const AdapterId& id) {
    auto found = select_adapters(session, "WHERE a.id = :id", id);
    ROOTSTOCK_CHECK(found.size() == 1, "the live pointer stands on no adapter");
    return std::move(found.front());
}

Promotion move_pointer(store::Session& session, const TenantId& owner, const std::string& name, const Live& before,
                       const Live& after, Timestamp now) {
    const std::string replaced = before.adapter.empty() ? "" : by_id(session, before.adapter).reference();
    if (!before.adapter.empty()) set_state(session, before.adapter, AdapterState::retired);
    set_state(session, after.adapter, AdapterState::live);
    session.execute(
        "INSERT INTO adapter_live (tenant_id, name, adapter_id, promotion, changed_at) VALUES (:tenant, :name, "
        ":adapter, :promotion, :now) ON CONFLICT (tenant_id, name) DO UPDATE SET adapter_id = excluded.adapter_id, "
        "promotion = excluded.promotion, changed_at = excluded.changed_at",
        owner, name, after.adapter, after.promotion, now);
    return {by_id(session, after.adapter), replaced};
}

Result<Adapter> chosen(store::Session& session, const TenantId& owner, const Reference& wanted,
                       std::string_view reference) {
    auto found =
        wanted.version == 0
            ? select_adapters(session, "WHERE a.tenant_id = :tenant AND a.name = :name ORDER BY a.version DESC LIMIT 1",
                              owner, wanted.name)
            : select_adapters(session, "WHERE a.tenant_id = :tenant AND a.name = :name AND a.version = :version", owner,
                              wanted.name, wanted.version);
    if (found.empty()) return no_adapter(reference);
    return std::move(found.front());
}

}  // namespace

Result<Promotion> promote(store::Session& session, const TenantId& owner, std::string_view reference, Timestamp now) {
    const Reference wanted = reference_of(reference);
    ROOTSTOCK_TRY(adapter, chosen(session, owner, wanted, reference));
    const Live before = live_of(session, owner, wanted.name);
    if (before.adapter == adapter.id)
        return fail(ErrorCode::conflict, adapter.reference() + " is live already", "model", "already_live");
    const auto number = 1 + session.value<std::int64_t>(
                                "SELECT COALESCE(MAX(number), 0) FROM adapter_promotion WHERE tenant_id = :tenant AND "
                                "name = :name",
                                owner, wanted.name);
    session.execute(
        "INSERT INTO adapter_promotion (tenant_id, name, number, adapter_id, before, promoted_at) "
        "VALUES (:tenant, :name, :number, :adapter, :before, :now)",
        owner, wanted.name, number, adapter.id, before.promotion, now);
    return move_pointer(session, owner, wanted.name, before, {adapter.id, number}, now);
}

Result<Promotion> rollback(store::Session& session, const TenantId& owner, std::string_view name, Timestamp now) {
    const std::string text(name);
    const Live before = live_of(session, owner, text);
    if (before.adapter.empty()) return no_adapter(name);
    auto row = session.first<AdapterId, std::int64_t>(
        "SELECT p.adapter_id, p.number FROM adapter_promotion c JOIN adapter_promotion p ON p.tenant_id = c.tenant_id "
        "AND p.name = c.name AND p.number = c.before WHERE c.tenant_id = :tenant AND c.name = :name AND c.number = "
        ":number",
        owner, text, before.promotion);
    if (!row)
        return fail(ErrorCode::conflict, "no version of '" + text + "' was live before this one", "model",
                    "nothing_before");
    return move_pointer(session, owner, text, before, {std::get<0>(*row), std::get<1>(*row)}, now);
}

}  // namespace rootstock::catalog
