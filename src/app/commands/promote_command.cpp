#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

Result<void> run_promote(const Context& context, const PromoteOrder& order) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(promoted, promote_adapter(*place.records, place.home, system_clock(), order));
    const auto live = promoted.live.reference();
    if (context.json) {
        print_json(json::object{{"live", live},
                                {"id", promoted.live.id.text()},
                                {"before", promoted.before},
                                {"was_live", promoted.was_live}});
        return {};
    }
    if (promoted.was_live) {
        std::printf("%s is live already\n", live.c_str());
        return {};
    }
    if (!promoted.checked.empty()) std::printf("%s\n", promoted.checked.c_str());
    std::printf("%s is live%s%s\n", paint(Colour::bold, live).c_str(),
                promoted.before.empty() ? "" : "; before it was ", promoted.before.c_str());
    return {};
}

}  // namespace

void add_promote_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("promote", "Make an adapter version the live one");
    auto order = std::make_shared<PromoteOrder>();
    command->add_option("NAME", order->reference, "NAME (its newest version) or NAME@VERSION")->required();
    command->add_option("--tenant", order->tenant, "Customer who owns the adapter [the house]")->type_name("TENANT");
    command->add_flag("--rollback", order->rollback, "Back to the version that was live before");
    command->footer("An older version can be promoted again at any time; versions are never changed.");
    command->callback([&context, order] { run_command(context, [&] { return run_promote(context, *order); }); });
}

}  // namespace rootstock
