#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct InvoiceOptions {
    std::string tenant, month;
};

json::value to_json(const bill::TenantInvoice& bill) {
    const auto& statement = bill.statement;
    json::array lines;
    for (const auto& line : statement.lines)
        lines.push_back(json::object{{"model", line.model},
                                     {"adapter", line.adapter},
                                     {"requests", line.requests},
                                     {"inputs", line.rows},
                                     {"input_tokens", line.input_tokens},
                                     {"output_tokens", line.output_tokens},
                                     {"amount", money(line.amount)}});
    return json::object{{"tenant", bill.tenant.name},
                        {"tenant_id", bill.tenant.id.text()},
                        {"month", ledger::month_name(statement.period)},
                        {"period_start", to_iso8601(statement.period.start)},
                        {"period_end", to_iso8601(statement.period.end)},
                        {"currency", statement.currency},
                        {"lines", std::move(lines)},
                        {"total_exact", money(statement.total)},
                        {"total", ledger::minor_text(bill.invoice.total, bill.invoice.decimals)}};
}

void print(const bill::TenantInvoice& bill) {
    const auto& statement = bill.statement;
    std::printf("Invoice for %s, %s (%s up to %s)\n", paint(Colour::bold, bill.tenant.name).c_str(),
                ledger::month_name(statement.period).c_str(), to_iso8601(statement.period.start).c_str(),
                to_iso8601(statement.period.end).c_str());
    Table table({"MODEL", "ADAPTER", "REQUESTS", "INPUTS", "TOKENS", "WRITTEN", statement.currency});
    for (std::size_t column = 2; column < 7; ++column) table.align_right(column);
    for (const auto& line : statement.lines)
        table.add({line.model, shown_adapter(line.adapter), count(line.requests), count(line.rows),
                   count(line.input_tokens), count(line.output_tokens), format_exact(line.amount)});
    table.add({"exact total", "", "", "", "", "", format_exact(statement.total)});
    std::printf("%s", table.text().c_str());
    std::printf("To pay: %s\n", paint(Colour::bold, ledger::minor_text(bill.invoice.total, bill.invoice.decimals) +
                                                        " " + statement.currency)
                                    .c_str());
}

Result<void> run_invoice(const Context& context, const InvoiceOptions& options) {
    ROOTSTOCK_TRY(period, chosen_month(options.month));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(bill, place.records->read(
                            [&](store::Session& session) { return bill::invoice(session, options.tenant, period); }));
    if (context.json) {
        print_json(to_json(bill));
    } else {
        print(bill);
    }
    return {};
}

}  // namespace

void add_invoice_command(CLI::App& program, Context& context) {
    auto* command =
        program.add_subcommand("invoice", "What a customer owes for a month, and invoices from draft to paid");
    command->require_subcommand(0, 1);
    add_invoice_steps(*command, context);
    auto options = std::make_shared<InvoiceOptions>();
    command->add_option("TENANT", options->tenant, "Whose month; or one of the commands below");
    command->add_option("--month", options->month, "Such as 2026-11, in UTC [the current one]")->type_name("YYYY-MM");
    command->footer(
        "Lines add up to the ledger exactly. What is to pay is what the invoice would be now: its lines are rounded, "
        "and "
        "taxes and customer credit are in it.");
    command->callback([command, &context, options] {
        if (!command->get_subcommands().empty()) return;
        if (options->tenant.empty()) throw CLI::RequiredError("TENANT");
        run_command(context, [&] { return run_invoice(context, *options); });
    });
}

}  // namespace rootstock
