#include "flow/score.h"

#include "catalog/catalog.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

struct Place {
    std::string name;
    fs::path folder;
};

bool is_better(const catalog::Adapter& one, const catalog::Adapter& other) {
    const bool live = one.state == catalog::AdapterState::live, other_live = other.state == catalog::AdapterState::live;
    return live != other_live ? live : one.version > other.version;
}

Result<catalog::Adapter> choose(store::Session& session, const TenantId& owner, const std::string& reference) {
    std::string known;
    std::optional<catalog::Adapter> best;
    for (auto& adapter : catalog::list_adapters(session, owner)) {
        if (adapter.task != "table") continue;
        known += (known.empty() ? "" : ", ") + adapter.reference();
        const bool fits = adapter.reference() == reference || adapter.name == reference;
        if (fits && (!best || is_better(adapter, *best))) best = std::move(adapter);
    }
    if (best) return *best;
    return fail(ErrorCode::not_found,
                "there is no table model `" + reference + "`; " +
                    (known.empty() ? "none is registered yet: make one with `rootstock finetune --task table`"
                                   : "known are: " + known),
                "model", "model_not_found");
}

Result<Place> find_place(store::Database& records, const Home& home, const ScoreOrder& order) {
    std::error_code ignored;
    if (order.model.find('/') != std::string::npos && fs::is_directory(order.model, ignored))
        return Place{order.model, order.model};
    return records.read([&](store::Session& session) -> Result<Place> {
        TenantId owner;
        if (!order.tenant.empty()) {
            ROOTSTOCK_TRY(found, tenant::find(session, order.tenant));
            owner = found.id;
        }
        ROOTSTOCK_TRY(adapter, choose(session, owner, order.model));
        return Place{adapter.reference(), home.adapters() / adapter.id.text()};
    });
}

}  // namespace

Result<ScoredTable> score_table(store::Database& records, const Home& home, const ScoreOrder& order) {
    ROOTSTOCK_TRY(place, find_place(records, home, order));
    ROOTSTOCK_TRY(model, TableModel::load(place.folder));
    ROOTSTOCK_TRY(rows, read_table(order.data == "-" ? fs::path("/dev/stdin") : order.data));
    ROOTSTOCK_TRY(encoded, model.encode(rows));
    ROOTSTOCK_TRY(scores, model.score(encoded));
    ScoredTable scored{
        place.name,        model.schema().label.name, model.schema().label.classes, std::move(encoded.row_numbers),
        std::move(scores), std::move(rows.problems)};
    scored.problems.insert(scored.problems.end(), encoded.problems.begin(), encoded.problems.end());
    return scored;
}

}  // namespace rootstock
