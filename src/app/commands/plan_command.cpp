// rootstock plan: what customers can be on.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/commands/books.h"
#include "app/commands/commands.h"

namespace rootstock {
namespace {

constexpr std::size_t file_max = 1 << 20;

struct PlanOptions {
    std::string code, file, tenant;
    std::int64_t version = 0;  // 0: the newest
    ledger::Offer offer{};
};

Result<std::string> read_text(const std::string& file) {
    std::ostringstream text;
    if (file == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream stream(file, std::ios::binary);
        if (!stream) return fail(ErrorCode::not_found, "'" + file + "' cannot be read", "FILE");
        text << stream.rdbuf();
    }
    if (text.str().size() > file_max) return fail(ErrorCode::too_large, "a plan's file has at most 1 MiB", "FILE");
    return text.str();
}

Result<ledger::Plan> chosen(store::Session& session, const PlanOptions& options) {
    if (options.version == 0) return ledger::find_plan(session, options.code);
    return ledger::find_plan(session, options.code, options.version);
}

std::string price_text(const ledger::Rating& rating) {
    if (rating.linear())
        return format_rounded(Micros{rating.tiers.front().nano_per_million / 1000}, 6) + " per million";
    return std::string(ledger::name(rating.mode)) + ", " + std::to_string(rating.tiers.size()) + " tiers";
}

void print(const ledger::Plan& plan) {
    std::printf("Plan %s v%lld, %s\n", paint(Colour::bold, plan.code).c_str(), static_cast<long long>(plan.version),
                plan.currency.c_str());
    std::printf("Fee %s each %s, credit limit %s, trial of %d days with %s\n", format_exact(plan.fee).c_str(),
                plan.months == 12 ? "year" : "month", format_exact(plan.credit_limit).c_str(), plan.trial_days,
                format_exact(plan.trial_credit).c_str());
    Table table({"METER", "MODEL", "PRICE", "TENANT", "FROM"});
    for (const auto& price : plan.prices)
        table.add({price.meter, price.model.empty() ? "all" : price.model, price_text(price.rating),
                   price.tenant.empty() ? "all" : price.tenant.text(), to_iso8601(price.from)});
    std::printf("%s", table.text().c_str());
}

void show(const Context& context, const ledger::Plan& plan) {
    if (context.json) {
        print_json(ledger::to_json(plan));
    } else {
        print(plan);
    }
}

Result<void> add(const Context& context, const PlanOptions& options) {
    ROOTSTOCK_TRY(text, read_text(options.file));
    ROOTSTOCK_TRY(plan, ledger::parse_plan(text, "the plan"));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(added, place.records->write_now([&](store::Session& session) {
        return ledger::add_plan_version(session, plan, system_clock().now());
    }));
    show(context, added);
    return {};
}

Result<void> price(const Context& context, const PlanOptions& options) {
    ROOTSTOCK_TRY(text, read_text(options.file));
    ROOTSTOCK_TRY(value, parse_json(text, "the price"));
    ROOTSTOCK_TRY(price, ledger::read_price(value, "the price"));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(plan, place.records->write_now([&](store::Session& session) -> Result<ledger::Plan> {
        ROOTSTOCK_TRY(plan, chosen(session, options));
        if (!options.tenant.empty()) {
            ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
            price.tenant = found.id;
        }
        ROOTSTOCK_CHECKED(ledger::add_price(session, plan.code, plan.version, price, system_clock().now()));
        return ledger::find_plan(session, plan.code, plan.version);
    }));
    show(context, plan);
    return {};
}

Result<void> list(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(plans, place.records->read([](store::Session& session) -> Result<std::vector<ledger::Plan>> {
        return ledger::plans(session, "", 1'000'000);
    }));
    if (context.json) {
        json::array all;
        for (const auto& plan : plans) all.push_back(ledger::to_json(plan));
        print_json(json::object{{"plans", std::move(all)}});
        return {};
    }
    Table table({"PLAN", "VERSION", "CURRENCY", "FEE", "EACH", "CREDIT LIMIT", "TRIAL"});
    for (const auto& plan : plans)
        table.add({plan.code, std::to_string(plan.version), plan.currency, format_exact(plan.fee),
                   plan.months == 12 ? "year" : "month", format_exact(plan.credit_limit),
                   std::to_string(plan.trial_days) + " days"});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> look_at(const Context& context, const PlanOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(plan, place.records->read([&](store::Session& session) { return chosen(session, options); }));
    show(context, plan);
    return {};
}

void show(const Context& context, const ledger::Offer& offer, const char* now) {
    if (context.json) {
        print_json(ledger::to_json(offer));
    } else {
        std::printf("%s is %s\n", paint(Colour::bold, offer.plan).c_str(), now);
    }
}

Result<void> put_on_offer(const Context& context, const PlanOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(offer, place.records->write_now([&](store::Session& session) {
        return ledger::put_offer(session, options.offer, system_clock().now());
    }));
    show(context, offer, "on offer: see /pricing");
    return {};
}

Result<void> withdraw(const Context& context, const PlanOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(offer, place.records->write_now(
                             [&](store::Session& session) { return ledger::withdraw_offer(session, options.code); }));
    show(context, offer, "no longer on offer");
    return {};
}

Result<void> list_offers(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(offers, place.records->read([](store::Session& session) -> Result<std::vector<ledger::Offer>> {
        return ledger::offers(session);
    }));
    if (context.json) {
        json::array all;
        for (const auto& offer : offers) all.push_back(ledger::to_json(offer));
        print_json(json::object{{"offers", std::move(all)}});
        return {};
    }
    Table table({"PLAN", "POSITION", "SUMMARY"});
    for (const auto& offer : offers) table.add({offer.plan, std::to_string(offer.position), offer.summary});
    std::printf("%s", table.text().c_str());
    return {};
}

void add_offer_commands(CLI::App& group, Context& context, const std::shared_ptr<PlanOptions>& options) {
    auto* offering = group.add_subcommand("offer", "Puts a plan into the shop window, /pricing");
    offering->add_option("CODE", options->offer.plan, "The plan")->required();
    offering->add_option("--position", options->offer.position, "Lowest first [0]");
    offering->add_option("--summary", options->offer.summary, "A sentence on it, in English");
    offering->add_option("--summary-zh", options->offer.summary_zh, "The same in Chinese");
    offering->add_option("--name-zh", options->offer.name_zh, "Its name in Chinese");
    offering->callback([&context, options] { run_command(context, [&] { return put_on_offer(context, *options); }); });

    auto* withdrawing = group.add_subcommand("withdraw", "Takes a plan out of the shop window");
    withdrawing->add_option("CODE", options->code, "The plan")->required();
    withdrawing->callback([&context, options] { run_command(context, [&] { return withdraw(context, *options); }); });

    auto* offered = group.add_subcommand("offers", "What is in the shop window");
    offered->callback([&context] { run_command(context, [&] { return list_offers(context); }); });
}

}  // namespace

void add_plan_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("plan", "Plans: add, list, show, price; offer, withdraw, offers");
    group->require_subcommand(1);
    auto options = std::make_shared<PlanOptions>();

    auto* adding = group->add_subcommand("add", "The next version of a plan, from JSON (docs/formats/plans.md)");
    adding->add_option("FILE", options->file, "A file, or - for standard input")->required();
    adding->callback([&context, options] { run_command(context, [&] { return add(context, *options); }); });

    auto* listing = group->add_subcommand("list", "The newest version of each");
    listing->callback([&context] { run_command(context, [&] { return list(context); }); });

    auto* showing = group->add_subcommand("show", "A plan with its prices");
    showing->add_option("CODE", options->code, "The plan")->required();
    showing->add_option("--version", options->version, "Which [the newest]");
    showing->callback([&context, options] { run_command(context, [&] { return look_at(context, *options); }); });

    auto* pricing = group->add_subcommand("price", "A further price: from a later day on, or for one customer");
    pricing->add_option("CODE", options->code, "The plan")->required();
    pricing->add_option("FILE", options->file, "A price as JSON, or - for standard input")->required();
    pricing->add_option("--version", options->version, "Of which version [the newest]");
    pricing->add_option("--tenant", options->tenant, "For this customer only");
    pricing->callback([&context, options] { run_command(context, [&] { return price(context, *options); }); });
    add_offer_commands(*group, context, options);
}

}  // namespace rootstock
