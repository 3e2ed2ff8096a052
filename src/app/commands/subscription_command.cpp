// rootstock subscription: which plan a customer is on, and what comes next.

#include <cstdio>

#include "app/commands/commands.h"
#include "app/routes/subscription_json.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct SubscriptionOptions {
    std::string tenant, plan, timezone = "UTC";
    bool calendar = false, not_payable = false, at_once = false;
};

Timestamp now() { return system_clock().now(); }

void show(const Context& context, const ledger::Subscription& one) {
    if (context.json) {
        print_json(to_json(one, now()));
        return;
    }
    const auto period = one.period_at(now());
    std::printf("%s is %s on the plan %s v%lld, %s up to %s\n", one.id.c_str(),
                paint(Colour::bold, ledger::name(one.state)).c_str(), one.plan.c_str(),
                static_cast<long long>(one.plan_version), to_iso8601(period.start).c_str(),
                to_iso8601(period.end).c_str());
    if (one.cancel_at) std::printf("It ends at %s.\n", to_iso8601(*one.cancel_at).c_str());
    if (one.change_at)
        std::printf("From %s on it is on %s.\n", to_iso8601(*one.change_at).c_str(), one.change_plan.c_str());
}

// Finds the tenant's subscription and takes a step with it, in one transaction.
template <typename Step>
Result<void> with(const Context& context, const SubscriptionOptions& options, Step step) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(one, place.records->write_now([&](store::Session& session) -> Result<ledger::Subscription> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
        ROOTSTOCK_TRY(one, ledger::subscription_of(session, found.id));
        return step(session, one);
    }));
    show(context, one);
    return {};
}

Result<void> create(const Context& context, const SubscriptionOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(one, place.records->write_now([&](store::Session& session) -> Result<ledger::Subscription> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
        return ledger::subscribe(
            session, {found.id, options.plan, options.timezone, options.calendar, !options.not_payable}, now());
    }));
    show(context, one);
    return {};
}

Result<void> preview(const Context& context, const SubscriptionOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(change, place.records->read([&](store::Session& session) -> Result<ledger::PlanChange> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
        ROOTSTOCK_TRY(one, ledger::subscription_of(session, found.id));
        return ledger::preview_change(session, one, options.plan, now());
    }));
    if (context.json) {
        print_json(to_json(change));
        return {};
    }
    std::printf("%s v%lld from %s on\n", change.plan.code.c_str(), static_cast<long long>(change.plan.version),
                to_iso8601(change.at).c_str());
    for (const auto& line : change.lines)
        std::printf(
            "%12s %s  %s\n",
            format_rounded(rate(line.amount, Micros{ledger::per_minor(line.decimals)}, 1), line.decimals).c_str(),
            line.currency.c_str(), line.unit.c_str());
    return {};
}

}  // namespace

void add_subscription_command(CLI::App& program, Context& context) {
    auto* group =
        program.add_subcommand("subscription", "Subscriptions: create, show, preview, change, cancel, resume");
    group->require_subcommand(1);
    auto options = std::make_shared<SubscriptionOptions>();
    const auto add = [&](const char* word, const char* text) {
        auto* command = group->add_subcommand(word, text);
        command->add_option("TENANT", options->tenant, "The customer's name or id")->required();
        return command;
    };

    auto* creating = add("create", "A subscription for a customer whose last one has ended");
    creating->add_option("PLAN", options->plan, "The plan's code")->required();
    creating->add_option("--timezone", options->timezone, "Whose days its periods begin with")->capture_default_str();
    creating->add_flag("--calendar", options->calendar, "By calendar months, and not from today on");
    creating->add_flag("--not-payable", options->not_payable, "There is no way to bill it: a trial ends suspended");
    creating->callback([&context, options] { run_command(context, [&] { return create(context, *options); }); });

    auto* showing = add("show", "As it stands");
    showing->callback([&context, options] {
        run_command(context, [&] {
            return with(
                context, *options,
                [](store::Session&, const ledger::Subscription& one) -> Result<ledger::Subscription> { return one; });
        });
    });

    auto* previewing = add("preview", "What a change of the plan would cost now");
    previewing->add_option("PLAN", options->plan, "The plan's code")->required();
    previewing->callback([&context, options] { run_command(context, [&] { return preview(context, *options); }); });

    auto* changing = add("change", "To another plan: a dearer one at once, a cheaper one at the period's end");
    changing->add_option("PLAN", options->plan, "The plan's code")->required();
    changing->callback([&context, options] {
        run_command(context, [&] {
            return with(context, *options, [&](store::Session& session, const ledger::Subscription& one) {
                return ledger::change_plan(session, one, options->plan, now());
            });
        });
    });

    auto* cancelling = add("cancel", "At the period's end");
    cancelling->add_flag("--at-once", options->at_once, "Now");
    cancelling->callback([&context, options] {
        run_command(context, [&] {
            return with(context, *options, [&](store::Session& session, const ledger::Subscription& one) {
                return ledger::cancel(session, one, options->at_once, now());
            });
        });
    });

    auto* resuming = add("resume", "Takes a cancellation or a change back; lets a suspended one go on");
    resuming->callback([&context, options] {
        run_command(context, [&] {
            return with(context, *options, [](store::Session& session, const ledger::Subscription& one) {
                return ledger::resume(session, one, now());
            });
        });
    });
}

}  // namespace rootstock
