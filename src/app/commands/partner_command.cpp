// rootstock partner: who brings customers, and what it earns them.

#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct PartnerOptions {
    ledger::Partner partner{};
    std::string tenant, currency = "USD", reference;
};

Timestamp now() { return system_clock().now(); }

void show(const Context& context, const ledger::Partner& partner) {
    if (context.json) return print_json(ledger::to_json(partner));
    std::printf("%s (%s) earns %s %% of what its customers pay, held for %lld days\n",
                paint(Colour::bold, partner.code).c_str(), partner.name.c_str(),
                format_rounded(Micros{partner.basis_points * 10'000}).c_str(),
                static_cast<long long>(partner.hold_days));
}

Result<void> add(const Context& context, const PartnerOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(made, place.records->write_now([&](store::Session& session) -> Result<ledger::Partner> {
        auto partner = options.partner;
        if (!options.tenant.empty()) {
            ROOTSTOCK_TRY(itself, tenant::find(session, options.tenant));
            partner.tenant = itself.id;
        }
        return ledger::add_partner(session, partner, now());
    }));
    show(context, made);
    return {};
}

Result<void> list(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(partners, place.records->read([](store::Session& session) -> Result<std::vector<ledger::Partner>> {
        return ledger::partners(session, "", 1'000'000);
    }));
    if (context.json) {
        json::array all;
        for (const auto& partner : partners) all.push_back(ledger::to_json(partner));
        print_json(json::object{{"partners", std::move(all)}});
        return {};
    }
    Table table({"PARTNER", "NAME", "EARNS %", "HOLD DAYS", ""});
    for (const auto& partner : partners)
        table.add({partner.code, partner.name, format_rounded(Micros{partner.basis_points * 10'000}),
                   std::to_string(partner.hold_days), partner.ended ? "ended" : ""});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> end(const Context& context, const PartnerOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(ended, place.records->write_now([&](store::Session& session) {
        return ledger::end_partner(session, options.partner.code, now());
    }));
    show(context, ended);
    return {};
}

Result<void> attribute(const Context& context, const PartnerOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(made, place.records->write_now([&](store::Session& session) -> Result<ledger::Attribution> {
        ROOTSTOCK_TRY(customer, tenant::find(session, options.tenant));
        const auto address = ledger::billing_details(session, customer.id).email;
        return ledger::attribute(session, customer.id, options.partner.code, address, "by hand", now());
    }));
    if (context.json)
        print_json(ledger::to_json(made));
    else
        std::printf("%s came by %s\n", options.tenant.c_str(), options.partner.code.c_str());
    return {};
}

struct Statement {
    std::vector<ledger::Commission> rows;
    std::vector<ledger::PartnerBalance> balances;
};

std::string minor(std::int64_t amount, const std::string& currency) {
    return ledger::minor_text(amount, ledger::minor_decimals(currency).value()) + " " + currency;
}

void print(const Statement& statement) {
    Table table({"BOOKED", "CUSTOMER", "INVOICE", "AMOUNT", "HELD UNTIL", "PAYOUT"});
    table.align_right(3);
    for (const auto& row : statement.rows)
        table.add({to_iso8601(row.booked), row.tenant.text(), row.invoice.text(), minor(row.amount, row.currency),
                   to_iso8601(row.hold_until), row.payout});
    std::printf("%s", table.text().c_str());
    for (const auto& balance : statement.balances)
        std::printf("held %s, due %s, paid %s\n", minor(balance.held, balance.currency).c_str(),
                    minor(balance.due, balance.currency).c_str(), minor(balance.paid, balance.currency).c_str());
}

Result<void> tell(const Context& context, const PartnerOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(statement, place.records->read([&](store::Session& session) -> Result<Statement> {
        ROOTSTOCK_TRY(partner, ledger::find_partner(session, options.partner.code));
        return Statement{ledger::commissions(session, partner.id, "", 1'000'000),
                         ledger::partner_balances(session, partner.id, now())};
    }));
    if (!context.json) {
        print(statement);
        return {};
    }
    json::array rows, balances;
    for (const auto& row : statement.rows) rows.push_back(ledger::to_json(row));
    for (const auto& balance : statement.balances) balances.push_back(ledger::to_json(balance));
    print_json(json::object{{"commissions", std::move(rows)}, {"balances", std::move(balances)}});
    return {};
}

Result<void> pay_out(const Context& context, const PartnerOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(payout, place.records->write_now([&](store::Session& session) {
        return ledger::pay_out(session, options.partner.code, options.currency, options.reference, now());
    }));
    if (context.json)
        print_json(ledger::to_json(payout));
    else
        std::printf("%s: %s\n", payout.id.c_str(), minor(payout.amount, payout.currency).c_str());
    return {};
}

}  // namespace

void add_partner_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("partner", "Partners: add, list, end, attribute, statement, pay");
    group->require_subcommand(1);
    auto options = std::make_shared<PartnerOptions>();
    auto& partner = options->partner;
    const auto named = [&](const char* name, const char* sentence) {
        auto* command = group->add_subcommand(name, sentence);
        command->add_option("CODE", partner.code, "The partner's code")->required();
        return command;
    };

    auto* adding = named("add", "A new one; customers who come by ?ref=CODE are its own");
    adding->add_option("--name", partner.name, "Who is paid")->required();
    adding->add_option("--email", partner.email, "Its address");
    adding->add_option("--basis-points", partner.basis_points, "1500: 15 % of what its customers pay")->required();
    adding->add_option("--hold-days", partner.hold_days, "Until a commission is paid out")->capture_default_str();
    adding->add_option("--months", partner.months, "Of a customer's invoices [all]");
    adding->add_option("--tenant", options->tenant, "The customer that it is itself");
    adding->callback([&context, options] { run_command(context, [&] { return add(context, *options); }); });

    auto* listing = group->add_subcommand("list", "All of them");
    listing->callback([&context] { run_command(context, [&] { return list(context); }); });

    auto* ending = named("end", "Brings nobody any more; what it earns by those who came stays");
    ending->callback([&context, options] { run_command(context, [&] { return end(context, *options); }); });

    auto* attributing = named("attribute", "A customer came by it");
    attributing->add_option("TENANT", options->tenant, "Name or id")->required();
    attributing->callback([&context, options] { run_command(context, [&] { return attribute(context, *options); }); });

    auto* telling = named("statement", "What it earned, customer by customer, and what is due");
    telling->callback([&context, options] { run_command(context, [&] { return tell(context, *options); }); });

    auto* paying = named("pay", "Writes down that all that is due was paid");
    paying->add_option("--reference", options->reference, "The bank's word for it")->required();
    paying->add_option("--currency", options->currency, "Which")->capture_default_str();
    paying->callback([&context, options] { run_command(context, [&] { return pay_out(context, *options); }); });
}

}  // namespace rootstock
