#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct EconomicsOptions {
    std::string month, machine_price, currency;
};

struct Report {
    bill::NamedEconomics named;
    ledger::MachinePrice price;
};

json::object to_json(const ledger::EconomicsRow& row) {
    return {{"requests", row.requests},
            {"input_tokens", row.input_tokens},
            {"output_tokens", row.output_tokens},
            {"revenue", money(row.revenue)},
            {"serving_seconds", seconds(row.serving_micros)},
            {"serving_cost", money(row.serving_cost)},
            {"training_seconds", seconds(row.training_micros)},
            {"training_cost", money(row.training_cost)},
            {"margin", money(row.margin)}};
}

json::value to_json(const Report& report) {
    const auto& economics = report.named.economics;
    json::array tenants, models;
    for (std::size_t i = 0; i < economics.by_tenant.size(); ++i) {
        auto row = to_json(economics.by_tenant[i]);
        row["tenant"] = report.named.tenant_names[i];
        tenants.push_back(std::move(row));
    }
    for (const auto& each : economics.by_model) {
        auto row = to_json(each);
        row["model"] = each.model;
        row["adapter"] = each.adapter;
        models.push_back(std::move(row));
    }
    return json::object{{"month", ledger::month_name(economics.period)},
                        {"currency", economics.currency},
                        {"machine_price_per_hour", money(report.price.per_hour)},
                        {"by_tenant", std::move(tenants)},
                        {"by_model", std::move(models)},
                        {"total", to_json(economics.total)}};
}

std::vector<std::string> cells(std::string name, const ledger::EconomicsRow& row) {
    return {std::move(name),
            count(row.requests),
            count(row.input_tokens),
            count(row.output_tokens),
            format_exact(row.revenue),
            seconds(row.serving_micros),
            format_exact(row.serving_cost),
            seconds(row.training_micros),
            format_exact(row.training_cost),
            format_exact(row.margin)};
}

Table new_table(const char* first) {
    Table table({first, "REQUESTS", "TOKENS", "WRITTEN", "REVENUE", "SERVING s", "COST", "TUNING s", "COST", "MARGIN"});
    for (std::size_t column = 1; column < 10; ++column) table.align_right(column);
    return table;
}

void print(const Report& report) {
    const auto& economics = report.named.economics;
    std::printf("%s, in %s; a machine hour costs %s. Idle time is not shared out.\n",
                ledger::month_name(economics.period).c_str(), economics.currency.c_str(),
                format_exact(report.price.per_hour).c_str());
    Table tenants = new_table("TENANT"), models = new_table("MODEL");
    for (std::size_t i = 0; i < economics.by_tenant.size(); ++i)
        tenants.add(cells(report.named.tenant_names[i], economics.by_tenant[i]));
    tenants.add(cells("total", economics.total));
    for (const auto& row : economics.by_model) models.add(cells(row.adapter.empty() ? row.model : row.adapter, row));
    std::printf("%s\n%s", tenants.text().c_str(), models.text().c_str());
}

Result<void> set_price(store::Database& records, const EconomicsOptions& options) {
    auto per_hour = parse_micros(options.machine_price);
    if (!per_hour) return fail(per_hour.error().code, per_hour.error().message, "machine_price");
    const ledger::MachinePrice price{options.currency, *per_hour, system_clock().now()};
    return records.write_now([&](store::Session& session) { return ledger::set_machine_price(session, price); });
}

Result<void> run_economics(const Context& context, const EconomicsOptions& options) {
    ROOTSTOCK_TRY(period, chosen_month(options.month));
    ROOTSTOCK_TRY(place, open_workplace(context));
    if (!options.machine_price.empty()) ROOTSTOCK_CHECKED(set_price(*place.records, options));
    ROOTSTOCK_TRY(report, place.records->read([&](store::Session& session) -> Result<Report> {
        ROOTSTOCK_TRY(named, bill::economics(session, period));
        return Report{std::move(named), ledger::machine_price(session, system_clock().now())};
    }));
    if (context.json) {
        print_json(to_json(report));
    } else {
        print(report);
    }
    return {};
}

}  // namespace

void add_economics_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("economics", "Revenue, machine cost and margin by customer and model");
    auto options = std::make_shared<EconomicsOptions>();
    options->currency = "USD";
    command->add_option("--month", options->month, "Such as 2026-11, in UTC [the current one]")->type_name("YYYY-MM");
    command->add_option("--machine-price", options->machine_price, "What an hour of this machine costs from now on")
        ->type_name("AMOUNT");
    command->add_option("--currency", options->currency, "Of --machine-price")->capture_default_str();
    command->callback([&context, options] { run_command(context, [&] { return run_economics(context, *options); }); });
}

}  // namespace rootstock
