#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct UsageOptions {
    std::string tenant, month;
};

json::value to_json(const bill::TenantUsage& usage, const ledger::Period& period) {
    json::array lines;
    for (const auto& line : usage.lines)
        lines.push_back(json::object{{"day", line.day},
                                     {"model", line.model},
                                     {"adapter", line.adapter},
                                     {"requests", line.requests},
                                     {"inputs", line.rows},
                                     {"input_tokens", line.input_tokens},
                                     {"output_tokens", line.output_tokens},
                                     {"compute_micros", line.compute_micros},
                                     {"amount", money(line.amount)}});
    const auto& balance = usage.balance;
    return json::object{{"tenant", usage.tenant.name},   {"month", ledger::month_name(period)},
                        {"plan", balance.plan},          {"currency", balance.currency},
                        {"owed", money(balance.owed)},   {"held", money(balance.held)},
                        {"limit", money(balance.limit)}, {"lines", std::move(lines)}};
}

void print(const bill::TenantUsage& usage, const ledger::Period& period) {
    const auto& balance = usage.balance;
    std::printf("%s, %s, plan %s\n", usage.tenant.name.c_str(), ledger::month_name(period).c_str(),
                balance.plan.c_str());
    Table table({"DAY", "MODEL", "ADAPTER", "REQUESTS", "INPUTS", "TOKENS", "WRITTEN", balance.currency});
    for (std::size_t column = 3; column < 8; ++column) table.align_right(column);
    for (const auto& line : usage.lines)
        table.add({line.day, line.model, shown_adapter(line.adapter), count(line.requests), count(line.rows),
                   count(line.input_tokens), count(line.output_tokens), format_exact(line.amount)});
    std::printf("%s", table.text().c_str());
    if (usage.lines.empty()) std::printf("Nothing was used in this month.\n");
    std::printf("Owed %s, on hold %s, limit %s %s\n", format_exact(balance.owed).c_str(),
                format_exact(balance.held).c_str(), format_exact(balance.limit).c_str(), balance.currency.c_str());
}

Result<void> run_usage(const Context& context, const UsageOptions& options) {
    ROOTSTOCK_TRY(period, chosen_month(options.month));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(usage, place.records->read(
                             [&](store::Session& session) { return bill::usage(session, options.tenant, period); }));
    if (context.json) {
        print_json(to_json(usage, period));
    } else {
        print(usage, period);
    }
    return {};
}

}  // namespace

void add_usage_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("usage", "What a customer used, by day and model");
    auto options = std::make_shared<UsageOptions>();
    command->add_option("TENANT", options->tenant, "Whose usage")->required();
    command->add_option("--month", options->month, "Such as 2026-11, in UTC [the current one]")->type_name("YYYY-MM");
    command->callback([&context, options] { run_command(context, [&] { return run_usage(context, *options); }); });
}

}  // namespace rootstock
