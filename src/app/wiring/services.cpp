#include "app/wiring/services.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "app/wiring/records.h"

namespace rootstock {
namespace {

Result<std::vector<catalog::Model>> find_all(store::Session& session, const std::vector<std::string>& wanted) {
    std::vector<catalog::Model> models;
    for (const auto& name : wanted) {
        ROOTSTOCK_TRY(model, catalog::find_model(session, name));
        models.push_back(std::move(model));
    }
    return models;
}

Result<std::vector<catalog::Model>> choose_bases(store::Database& records, const std::vector<std::string>& wanted) {
    return records.read([&](store::Session& session) -> Result<std::vector<catalog::Model>> {
        if (!wanted.empty()) return find_all(session, wanted);
        auto models = catalog::list_models(session);
        if (models.empty())
            return fail(ErrorCode::not_found, "there is no base model yet; fetch one with: rootstock pull SOURCE",
                        "base");
        if (models.size() == 1) return models;
        std::string names;
        for (const auto& model : models) names += (names.empty() ? "" : ", ") + model.name;
        return fail(ErrorCode::invalid_argument, "choose the base models to serve, each with --base: " + names, "base");
    });
}

// What only one server can hold at a time: the lock of a home on a machine.
std::string place_of(const Home& home) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return std::string(host.data()) + ":" + home.root.string();
}

// What an earlier run held when it died, money and idempotency keys, is held by nobody now.
Result<void> release_holds(Services& services) {
    ROOTSTOCK_TRY(released, services.records->write_now([&](store::Session& session) -> Result<std::int64_t> {
        const auto others =
            ledger::begin_run(session, services.run, place_of(services.settings.home), services.clock.now());
        if (others == 0) ledger::free_abandoned_keys(session);  // else each waits for its lease
        auto settled = ledger::settle_abandoned(session, services.run, services.clock.now());
        if (settled > 0) spdlog::info("settled {} requests of an earlier run at their last mark", settled);
        return ledger::void_abandoned(session, services.run, services.clock.now());
    }));
    if (released > 0) spdlog::info("released {} holds of an earlier run", released);
    return {};
}

}  // namespace

ServerLoad Services::load() const {
    ServerLoad load;
    for (const auto& model : models.all())
        load.models.push_back({model->name, model->scheduler->load(), model->residency->load(),
                               model->writer ? model->writer->load() : WriterLoad()});
    load.connections = connections();
    return load;
}

double Services::seconds_waiting() const {
    double longest = 0;
    for (const auto& model : models.all()) longest = std::max(longest, model->scheduler->load().seconds_waiting);
    return longest;
}

Result<std::unique_ptr<Services>> open_services(ServeSettings settings, Clock& clock) {
    std::unique_ptr<Services> services(new Services(std::move(settings), clock));
    const auto& chosen = services->settings;
    services->run = ledger::mint_run(clock.now());
    ROOTSTOCK_TRY(records, open_records(chosen.home));
    services->records = std::move(records);
    ROOTSTOCK_CHECKED(release_holds(*services));
    services->blobs = std::make_unique<store::Blobs>(catalog::files_folder(chosen.home));
    services->blobs->clear_incoming();
    ROOTSTOCK_TRY(bases, choose_bases(*services->records, chosen.bases));
    auto count = [metrics = &services->metrics](const std::string& base, const BatchFacts& facts) {
        metrics->count_batch(base, facts);
    };
    auto count_step = [metrics = &services->metrics](const std::string& base, const StepFacts& facts) {
        metrics->count_step(base, facts);
    };
    ROOTSTOCK_TRY(models, ServedModels::open(bases, chosen.home,
                                             {chosen.native, chosen.scheduler, chosen.residency, chosen.writer,
                                              std::move(count), std::move(count_step)}));
    services->models = std::move(models);
    auto told = [metrics = &services->metrics](const JourneyFacts& facts) { metrics->count_journey(facts); };
    const JourneyParts parts{*services->records, services->models, services->pool, clock,
                             chosen.home,        services->run,    std::move(told)};
    services->predict = std::make_unique<Predict>(parts, chosen.predict);
    services->reading = std::make_unique<Read>(parts, chosen.predict);
    services->generate = std::make_unique<Generate>(parts, chosen.generate);
    return services;
}

}  // namespace rootstock
