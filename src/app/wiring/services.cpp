#include "app/wiring/services.h"

#include "app/wiring/records.h"

namespace rootstock {
namespace {

Result<catalog::Model> choose_base(store::Database& records, const std::string& wanted) {
    return records.read([&](store::Session& session) -> Result<catalog::Model> {
        if (!wanted.empty()) return catalog::find_model(session, wanted);
        auto models = catalog::list_models(session);
        if (models.empty())
            return fail(ErrorCode::not_found, "there is no base model yet; fetch one with: rootstock pull SOURCE",
                        "base");
        if (models.size() == 1) return models.front();
        std::string names;
        for (const auto& model : models) names += (names.empty() ? "" : ", ") + model.name;
        return fail(ErrorCode::invalid_argument, "choose the base model to serve with --base: " + names, "base");
    });
}

Result<ServedBase> load_base(const std::filesystem::path& folder, const std::string& digest, NativeOptions options) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(folder));
    ROOTSTOCK_TRY(files, load_model(folder));
    ROOTSTOCK_TRY(model, NativeModel::load(files, options));
    return ServedBase{std::move(model), std::move(tokenizer), digest};
}

// What an earlier run held when it died, money and idempotency keys, is held by nobody now.
Result<void> release_holds(Services& services) {
    ROOTSTOCK_TRY(released, services.records->write_now([&](store::Session& session) -> Result<std::int64_t> {
        ledger::free_abandoned_keys(session);
        return ledger::void_abandoned(session, services.run, services.clock.now());
    }));
    if (released > 0) spdlog::info("released {} holds of an earlier run", released);
    return {};
}

}  // namespace

ServerLoad Services::load() const { return {scheduler->load(), residency->load(), connections()}; }

Result<std::unique_ptr<Services>> open_services(ServeSettings settings, Clock& clock) {
    std::unique_ptr<Services> services(new Services(std::move(settings), clock));
    const auto& chosen = services->settings;
    services->run = ledger::mint_run(clock.now());
    ROOTSTOCK_TRY(records, open_records(chosen.home));
    services->records = std::move(records);
    ROOTSTOCK_CHECKED(release_holds(*services));
    ROOTSTOCK_TRY(base, choose_base(*services->records, chosen.base));
    services->base = {base.name, base.digest, base.added};
    ROOTSTOCK_TRY(served, load_base(chosen.home.models() / base.folder, base.digest, chosen.native));
    services->model = served.model;
    auto scheduling = chosen.scheduler;
    scheduling.on_batch = [metrics = &services->metrics](const BatchFacts& facts) { metrics->count_batch(facts); };
    services->scheduler = std::make_unique<Scheduler>(served.model, scheduling);
    services->residency = std::make_unique<Residency>(served, chosen.residency);
    services->predict =
        std::make_unique<Predict>(PredictParts{*services->records, *services->scheduler, *services->residency,
                                               services->pool, clock, chosen.home, served, base.name, services->run},
                                  chosen.predict);
    return services;
}

}  // namespace rootstock
