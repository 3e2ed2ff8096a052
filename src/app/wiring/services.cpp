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

// What payments ask of invoices and tell them. Only what is owed can be paid.
ledger::InvoiceDesk desk() {
    auto find = [](store::Session& session, const InvoiceId& id) -> Result<ledger::Owed> {
        ROOTSTOCK_TRY(invoice, ledger::find_invoice(session, id));
        const bool owed =
            invoice.status == ledger::InvoiceStatus::open || invoice.status == ledger::InvoiceStatus::uncollectible;
        return ledger::Owed{invoice.tenant, invoice.currency, owed ? invoice.left() : 0};
    };
    auto settle = [](store::Session& session, const InvoiceId& id, std::int64_t amount, const std::string& ref,
                     Timestamp now) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::settle_payment(session, id, amount, ref, now));
        return {};
    };
    auto refunded = [](store::Session& session, const std::string& note, const std::string& ref,
                       Timestamp now) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::settle_refund(session, note, ref, now));
        return {};
    };
    return {std::move(find), std::move(settle), std::move(refunded)};
}

Result<void> open_outside(Services& services) {
    ROOTSTOCK_TRY(vault, outbox::Vault::open(services.settings.home.root / "secret.key"));
    services.vault = std::move(vault);
    std::vector<std::unique_ptr<pay::Provider>> providers;
    providers.push_back(pay::make_bank_transfer());
    const auto& stripe = services.settings.outside.stripe;
    if (!stripe.key.empty()) providers.push_back(pay::make_stripe(stripe));
    auto name_of = [](store::Session& session, const TenantId& tenant) {
        auto found = tenant::find(session, tenant.text());
        return found ? found->name : tenant.text();
    };
    services.cashier = std::make_unique<pay::Cashier>(*services.records, services.clock, desk(), std::move(name_of),
                                                      std::move(providers));
    return {};
}

}  // namespace

ServerLoad Services::load() const {
    ServerLoad load;
    for (const auto& model : models.all())
        load.models.push_back({model->name, model->scheduler->load(), model->residency->load(),
                               model->writer ? model->writer->load() : WriterLoad()});
    load.models.push_back({table_desk_name, tables->scheduler.load(), tables->residency.load(), WriterLoad()});
    load.connections = connections();
    return load;
}

double Services::seconds_waiting() const {
    double longest = tables->scheduler.load().seconds_waiting;
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
    ROOTSTOCK_CHECKED(open_outside(*services));
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
    TableDeskSettings tables;
    tables.queue = chosen.scheduler.queue;
    tables.residency = chosen.tables;
    tables.native.threads = chosen.native.threads;
    tables.on_batch = [metrics = &services->metrics](const BatchFacts& facts) {
        metrics->count_batch(table_desk_name, facts);
    };
    services->tables = std::make_unique<TableDesk>(tables);
    auto told = [metrics = &services->metrics](const JourneyFacts& facts) { metrics->count_journey(facts); };
    const JourneyParts parts{*services->records, services->models, services->pool, clock,
                             chosen.home,        services->run,    std::move(told)};
    services->predict = std::make_unique<Predict>(parts, chosen.predict);
    services->reading = std::make_unique<Read>(parts, chosen.predict);
    services->scoring = std::make_unique<ScoreRows>(parts, *services->tables, chosen.predict);
    services->generate = std::make_unique<Generate>(parts, chosen.generate);
    return services;
}

}  // namespace rootstock
