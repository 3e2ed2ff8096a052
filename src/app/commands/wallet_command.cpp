// rootstock wallet: credit that customers were given or bought.

#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "app/routes/subscription_json.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct WalletOptions {
    std::string tenant, amount, kind = "promo", source, grant;
    std::int64_t priority = 100, days = 0;
};

Result<void> grant(const Context& context, const WalletOptions& options) {
    ROOTSTOCK_TRY(amount, parse_micros(options.amount));
    const auto kind = ledger::grant_kind(options.kind);
    if (!kind) return fail(ErrorCode::invalid_argument, "a grant is trial, promo or purchased", "--kind");
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(made, place.records->write_now([&](store::Session& session) -> Result<ledger::Grant> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
        const auto now = system_clock().now();
        ledger::GrantOrder order{.tenant = found.id,
                                 .kind = *kind,
                                 .amount = amount,
                                 .priority = options.priority,
                                 .source = options.source};
        if (options.days > 0) order.expires = ledger::days_later("UTC", now, static_cast<int>(options.days));
        return ledger::grant(session, order, now);
    }));
    if (context.json) {
        print_json(to_json(made));
    } else {
        std::printf("%s: %s %s for %s\n", made.id.c_str(), format_exact(made.amount).c_str(), made.currency.c_str(),
                    options.tenant.c_str());
    }
    return {};
}

Result<void> show(const Context& context, const WalletOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(grants, place.records->read([&](store::Session& session) -> Result<std::vector<ledger::Grant>> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
        return ledger::grants(session, found.id, "", 1'000'000);
    }));
    if (context.json) {
        json::array all;
        for (const auto& one : grants) all.push_back(to_json(one));
        print_json(json::object{{"grants", std::move(all)}});
        return {};
    }
    Table table({"GRANT", "KIND", "STATE", "AMOUNT", "LEFT", "PRIORITY", "EXPIRES"});
    for (const auto& one : grants)
        table.add({one.id, ledger::name(one.kind), one.state, format_exact(one.amount), format_exact(one.remaining),
                   std::to_string(one.priority), one.expires ? to_iso8601(*one.expires) : "never"});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> end(const Context& context, const WalletOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(ended, place.records->write_now([&](store::Session& session) {
        return ledger::void_grant(session, std::nullopt, options.grant, system_clock().now());
    }));
    if (context.json) {
        print_json(to_json(ended));
    } else {
        std::printf("%s is void; %s %s of it were left.\n", ended.id.c_str(), format_exact(ended.remaining).c_str(),
                    ended.currency.c_str());
    }
    return {};
}

}  // namespace

void add_wallet_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("wallet", "Credit of customers: grant, show, void");
    group->require_subcommand(1);
    auto options = std::make_shared<WalletOptions>();

    auto* granting = group->add_subcommand("grant", "Credit for a customer");
    granting->add_option("TENANT", options->tenant, "The customer's name or id")->required();
    granting->add_option("AMOUNT", options->amount, "In the currency of its books, such as 25 or 0.50")->required();
    granting->add_option("--kind", options->kind, "trial, promo or purchased")->capture_default_str();
    granting->add_option("--priority", options->priority, "Lower ones burn first")->capture_default_str();
    granting->add_option("--days", options->days, "It expires after so many days [never]")->check(CLI::Range(1, 36500));
    granting->add_option("--source", options->source, "What it is for");
    granting->callback([&context, options] { run_command(context, [&] { return grant(context, *options); }); });

    auto* showing = group->add_subcommand("show", "All grants of a customer");
    showing->add_option("TENANT", options->tenant, "The customer's name or id")->required();
    showing->callback([&context, options] { run_command(context, [&] { return show(context, *options); }); });

    auto* ending = group->add_subcommand("void", "Takes back what is left of a grant");
    ending->add_option("GRANT", options->grant, "Its id")->required();
    ending->callback([&context, options] { run_command(context, [&] { return end(context, *options); }); });
}

}  // namespace rootstock
