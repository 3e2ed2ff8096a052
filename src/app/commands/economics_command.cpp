#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "app/pages/what_if_chart.h"
#include "app/routes/economics_json.h"
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
        print_json(to_json(report.named, report.price));
    } else {
        print(report);
    }
    return {};
}

// ---- what if ----

struct WhatIfOptions {
    std::string month, customers, mix, price = "0", machine, chart;
    std::int64_t utilisation = ledger::WhatIfOrder{}.utilisation;
};

Result<ledger::WhatIfOrder> order_of(const WhatIfOptions& options) {
    ledger::WhatIfOrder order;
    ROOTSTOCK_TRY(month, chosen_month(options.month));
    order.measured = month;
    if (!options.customers.empty()) {
        ROOTSTOCK_TRY(customers, read_numbers(options.customers, "customers"));
        order.customers = std::move(customers);
    }
    ROOTSTOCK_TRY(mix, read_mix(options.mix, "mix"));
    order.mix = std::move(mix);
    ROOTSTOCK_TRY(price, parse_micros(options.price));
    order.price = price;
    if (!options.machine.empty()) {
        ROOTSTOCK_TRY(machine, parse_micros(options.machine));
        order.machine_per_hour = machine;
    }
    order.utilisation = options.utilisation;
    return order;
}

void print(const ledger::WhatIf& answer) {
    std::printf("A customer's month, after %s requests of %s customers:\n", count(answer.measured_requests).c_str(),
                count(answer.measured_customers).c_str());
    Table works({"WORK", "REQUESTS", "MACHINE s"});
    for (std::size_t column = 1; column < 3; ++column) works.align_right(column);
    for (const auto& work : answer.works) works.add({work.operation, count(work.requests), seconds(work.micros)});
    std::printf("%s\nMachines at %s %s an hour, work in %lld %% of it; a customer pays %s a month.\n",
                works.text().c_str(), format_exact(answer.machine_per_hour).c_str(), answer.currency.c_str(),
                static_cast<long long>(answer.utilisation), format_rounded(answer.price).c_str());
    Table rows({"CUSTOMERS", "MACHINES", "USED %", "COST", "A CUSTOMER", "REVENUE", "MARGIN"});
    for (std::size_t column = 0; column < 7; ++column) rows.align_right(column);
    for (const auto& row : answer.rows)
        rows.add({count(row.customers), count(row.machines), format_rounded(Micros{row.used_basis_points * 10'000}),
                  format_rounded(row.cost), format_exact(row.cost_per_customer), format_rounded(row.revenue),
                  format_rounded(row.margin)});
    std::printf("%s", rows.text().c_str());
    if (answer.break_even)
        std::printf("The price covers the machines from %s customers on.\n", count(*answer.break_even).c_str());
    else
        std::printf("At this price no number of customers covers the machines.\n");
}

Result<void> run_what_if(const Context& context, const WhatIfOptions& options) {
    ROOTSTOCK_TRY(order, order_of(options));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(answer,
                  place.records->read([&](store::Session& session) { return ledger::what_if(session, order); }));
    if (!options.chart.empty()) ROOTSTOCK_CHECKED(write_file_atomically(options.chart, what_if_chart(answer)));
    if (context.json) {
        print_json(ledger::to_json(answer));
    } else {
        print(answer);
    }
    return {};
}

void add_what_if(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand(
        "what-if", "What so many customers would cost and bring, from measured seconds and supposed prices");
    auto options = std::make_shared<WhatIfOptions>();
    command->add_option("--customers", options->customers, "How many, such as 1,10,100 [1,10,100,1000,10000]");
    command->add_option("--mix", options->mix,
                        "Requests of a customer a month, such as classify=1000,chat=20 [as measured]");
    command->add_option("--price", options->price, "What a customer pays a month")->type_name("AMOUNT");
    command->add_option("--machine", options->machine, "What a machine hour costs [as it does now]")
        ->type_name("AMOUNT");
    command->add_option("--utilisation", options->utilisation, "Per cent of a machine's hours that can be work")
        ->capture_default_str();
    command->add_option("--month", options->month, "Whose requests are taken for example [the current one]")
        ->type_name("YYYY-MM");
    command->add_option("--chart", options->chart, "Writes the chart there, as SVG")->type_name("FILE");
    command->callback([&context, options] { run_command(context, [&] { return run_what_if(context, *options); }); });
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
    command->require_subcommand(0, 1);
    command->callback([&context, options, command] {
        if (command->get_subcommands().empty()) run_command(context, [&] { return run_economics(context, *options); });
    });
    add_what_if(*command, context);
}

}  // namespace rootstock
