// rootstock coupon: what takes something off.

#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct CouponOptions {
    ledger::Coupon coupon{};
    std::string last_day, tenant;
    std::int64_t months = 0, redemptions_max = 0;  // 0: no end, no limit
};

std::string worth(const ledger::Coupon& coupon) {
    if (coupon.basis_points > 0) return format_rounded(Micros{coupon.basis_points * 10'000}) + " %";
    const int decimals = ledger::minor_decimals(coupon.currency).value();
    return ledger::minor_text(coupon.amount, decimals) + " " + coupon.currency;
}

void show(const Context& context, const ledger::Coupon& coupon) {
    if (context.json) return print_json(ledger::to_json(coupon));
    std::printf("%s: %s off, redeemed %lld times%s\n", paint(Colour::bold, coupon.code).c_str(), worth(coupon).c_str(),
                static_cast<long long>(coupon.redeemed), coupon.ended ? ", ended" : "");
}

Result<void> add(const Context& context, const CouponOptions& options) {
    auto coupon = options.coupon;
    if (options.months > 0) coupon.months = options.months;
    if (options.redemptions_max > 0) coupon.redemptions_max = options.redemptions_max;
    if (!options.last_day.empty()) {
        ROOTSTOCK_TRY(day, ledger::read_date(options.last_day));
        coupon.valid_until = ledger::days_later("UTC", ledger::start_of_day("UTC", day), 1);
    }
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(made, place.records->write_now([&](store::Session& session) {
        return ledger::add_coupon(session, coupon, system_clock().now());
    }));
    show(context, made);
    return {};
}

Result<void> list(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(coupons, place.records->read([](store::Session& session) -> Result<std::vector<ledger::Coupon>> {
        return ledger::coupons(session, "", 1'000'000);
    }));
    if (context.json) {
        json::array all;
        for (const auto& coupon : coupons) all.push_back(ledger::to_json(coupon));
        print_json(json::object{{"coupons", std::move(all)}});
        return {};
    }
    Table table({"COUPON", "OFF", "MONTHS", "REDEEMED", "OF"});
    for (const auto& coupon : coupons)
        table.add({coupon.code, worth(coupon), coupon.months ? std::to_string(*coupon.months) : "for ever",
                   std::to_string(coupon.redeemed),
                   coupon.redemptions_max ? std::to_string(*coupon.redemptions_max) : "any"});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> end(const Context& context, const CouponOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(ended, place.records->write_now([&](store::Session& session) {
        return ledger::end_coupon(session, options.coupon.code, system_clock().now());
    }));
    show(context, ended);
    return {};
}

Result<void> redeem(const Context& context, const CouponOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(redeemed, place.records->write_now([&](store::Session& session) -> Result<ledger::Redemption> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
        return ledger::redeem(session, found.id, options.coupon.code, system_clock().now());
    }));
    if (context.json)
        print_json(ledger::to_json(redeemed));
    else
        std::printf("%s has %s from %s on\n", options.tenant.c_str(), redeemed.coupon.c_str(),
                    to_iso8601(redeemed.from).c_str());
    return {};
}

}  // namespace

void add_coupon_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("coupon", "Coupons: add, list, end, redeem");
    group->require_subcommand(1);
    auto options = std::make_shared<CouponOptions>();
    auto& coupon = options->coupon;

    auto* adding = group->add_subcommand("add", "A new one");
    adding->add_option("CODE", coupon.code, "3 to 40 letters, digits, hyphens; in any case")->required();
    adding->add_option("--basis-points", coupon.basis_points, "2500: 25 % off");
    adding->add_option("--amount-minor", coupon.amount, "Or so many minor units (cents) off each period");
    adding->add_option("--currency", coupon.currency, "Of the amount");
    adding->add_option("--months", options->months, "For how long; 1: once [for ever]");
    adding->add_option("--plan", coupon.plans, "For this plan only; give it again for each further one")
        ->allow_extra_args(false);
    adding->add_option("--last-day", options->last_day, "On which it can be redeemed, in UTC")->type_name("DATE");
    adding->add_option("--redemptions-max", options->redemptions_max, "How often in all [any number]");
    adding->callback([&context, options] { run_command(context, [&] { return add(context, *options); }); });

    auto* listing = group->add_subcommand("list", "All of them");
    listing->callback([&context] { run_command(context, [&] { return list(context); }); });

    auto* ending = group->add_subcommand("end", "Nobody redeems it any more; who has it keeps it");
    ending->add_option("CODE", coupon.code, "Which")->required();
    ending->callback([&context, options] { run_command(context, [&] { return end(context, *options); }); });

    auto* redeeming = group->add_subcommand("redeem", "Gives it to a customer");
    redeeming->add_option("TENANT", options->tenant, "Name or id")->required();
    redeeming->add_option("CODE", coupon.code, "Which")->required();
    redeeming->callback([&context, options] { run_command(context, [&] { return redeem(context, *options); }); });
}

}  // namespace rootstock
