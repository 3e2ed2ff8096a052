#include "customers.h"

#include "outbox/outbox.h"

namespace rootstock::simulation {
namespace {

using ledger::Price;
using ledger::Rating;
using ledger::RatingMode;
using ledger::Tier;

Price per_million(std::string meter, std::int64_t nano, std::string model = "") {
    return {
        .meter = std::move(meter), .model = std::move(model), .rating = {.tiers = {Tier{.nano_per_million = nano}}}};
}

// Credit bought beforehand, and not a micro-unit more.
Customer prepaid() {
    return {TenantId("ten_prepaid"),
            {.code = "prepaid",
             .credit_limit = {0},
             .prices = {per_million("input_tokens", 20'000'000'000), per_million("cached_tokens", 5'000'000'000),
                        per_million("output_tokens", 60'000'000'000)}},
            false,
            {"minilm"},
            200,
            150};
}

// Prices that never come out even, a fee and a commitment.
Customer metered() {
    return {
        TenantId("ten_metered"),
        {.code = "metered",
         .credit_limit = {30'000'000},
         .prices = {per_million("input_tokens", 333'333'333'333), per_million("input_tokens", 37'500'000'000, "small"),
                    per_million("output_tokens", 777'777'777'777), per_million("requests", 123'456'789'012)},
         .fee = {5'000'000},
         .commitment = {4'000'000}},
        true,
        {"minilm", "small"},
        9'000,
        2'000};
}

// Prices by the whole of a month.
Customer tiered() {
    const Rating graduated{
        .mode = RatingMode::graduated,
        .tiers = {{400, 900'000'000'000, 0}, {1'500, 500'000'000'000, 250'000'000}, {Tier::endless, 123'456'789, 0}},
        .included = 100,
        .nano_minimum = 1'500'000'000};
    const Rating volume{
        .mode = RatingMode::volume,
        .tiers = {{300, 800'000'000'000, 0}, {900, 400'000'000'000, 0}, {Tier::endless, 100'000'000'000, 0}}};
    const Rating packages{.mode = RatingMode::package, .tiers = {Tier{.nano_flat = 40'000'000}}, .package = 5};
    return {TenantId("ten_tiered"),
            {.code = "tiered",
             .credit_limit = {3'000'000},
             .prices = {{.meter = "input_tokens", .rating = graduated},
                        {.meter = "output_tokens", .rating = volume},
                        {.meter = "requests", .rating = packages}}},
            true,
            {"minilm"},
            250,
            120};
}

// Dear tokens, of which a month allows so many.
Customer allowed() {
    return {
        TenantId("ten_allowed"),
        {.code = "allowed",
         .credit_limit = {900'000'000'000'000},
         .prices = {per_million("input_tokens", 1'234'567'890'123'456), per_million("output_tokens", 987'654'321'098)},
         .fee = {120'000'000},
         .allowances = {{"input_tokens", 6'000, true}, {"requests", 15, false}}},
        true,
        {"minilm"},
        400,
        60};
}

}  // namespace

const std::vector<Customer>& customers() {
    static const std::vector<Customer> all{prepaid(), metered(), tiered(), allowed()};
    return all;
}

void make_start(const std::filesystem::path& file) {
    auto migrations = ledger::migrations();
    for (auto& migration : outbox::migrations()) migrations.push_back(std::move(migration));
    auto database = store::Database::open(file, std::move(migrations)).value();
    database
        ->write_now([&](store::Session& session) -> Result<void> {
            for (const auto& customer : customers()) {
                ROOTSTOCK_CHECKED(ledger::add_plan_version(session, customer.plan, opening));
                ROOTSTOCK_CHECKED(ledger::open_books(session, customer.tenant, customer.plan.code, opening));
            }
            return {};
        })
        .value();
}

}  // namespace rootstock::simulation
