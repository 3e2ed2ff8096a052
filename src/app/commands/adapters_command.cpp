#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

double metric(const catalog::Adapter& adapter, std::string_view key) {
    const auto* object = adapter.metrics.if_object();
    const auto* value = object ? object->if_contains(key) : nullptr;
    return value && value->is_number() ? value->to_number<double>() : 0;
}

std::string with_four_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4f", value);
    return text;
}

json::value to_json(const ListedAdapter& listed) {
    const auto& adapter = listed.adapter;
    return json::object{{"adapter", adapter.reference()},
                        {"id", adapter.id.text()},
                        {"state", catalog::name(adapter.state)},
                        {"owner", listed.owner},
                        {"task", adapter.task},
                        {"labels", json::value_from(adapter.labels)},
                        {"base", listed.base},
                        {"base_digest", adapter.base_digest},
                        {"dataset_digest", adapter.dataset_digest},
                        {"job", adapter.job.text()},
                        {"seed", adapter.seed},
                        {"settings", adapter.settings},
                        {"metrics", adapter.metrics},
                        {"created", to_iso8601(adapter.created)}};
}

Result<void> run_adapters(const Context& context, const std::string& tenant) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(adapters, list_all_adapters(*place.records, tenant));
    if (context.json) {
        json::array all;
        for (const auto& listed : adapters) all.push_back(to_json(listed));
        print_json(json::object{{"adapters", std::move(all)}});
        return {};
    }
    if (adapters.empty()) {
        std::printf("No adapter yet. Make one: rootstock finetune --base MODEL --data train.csv --name NAME\n");
        return {};
    }
    Table table({"ADAPTER", "STATE", "OWNER", "LABELS", "ACCURACY", "MACRO F1", "BASE", "CREATED"});
    for (std::size_t column : {3, 4, 5}) table.align_right(column);
    for (const auto& [adapter, owner, base] : adapters)
        table.add({adapter.reference(), catalog::name(adapter.state), owner.empty() ? "(house)" : owner,
                   std::to_string(adapter.labels.size()), with_four_digits(metric(adapter, "accuracy")),
                   with_four_digits(metric(adapter, "macro_f1")), base, to_iso8601(adapter.created)});
    std::printf("%s", table.text().c_str());
    return {};
}

}  // namespace

void add_adapters_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("adapters", "List the adapters and their states");
    auto tenant = std::make_shared<std::string>();
    command->add_option("--tenant", *tenant, "Only this customer's [everybody's]")->type_name("TENANT");
    command->callback([&context, tenant] { run_command(context, [&] { return run_adapters(context, *tenant); }); });
}

}  // namespace rootstock
