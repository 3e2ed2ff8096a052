#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

json::object to_json(const tenant::Tenant& tenant) {
    return {{"id", tenant.id.text()},
            {"name", tenant.name},
            {"status", tenant::name(tenant.status)},
            {"created", to_iso8601(tenant.created)}};
}

struct CreateOptions {
    std::string name;
    std::string plan{ledger::default_plan};
};

Result<void> create(const Context& context, const CreateOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(tenant, place.records->write_now([&](store::Session& session) {
        return bill::create_tenant(session, options.name, options.plan, system_clock().now());
    }));
    if (context.json) {
        print_json(to_json(tenant));
        return {};
    }
    std::printf("Tenant %s is ready, on the plan '%s'.\n", paint(Colour::bold, tenant.name).c_str(),
                options.plan.c_str());
    std::printf("Next, a key for its programs: rootstock key create --tenant %s\n", tenant.name.c_str());
    return {};
}

Result<void> list(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(tenants, place.records->read([](store::Session& session) -> Result<std::vector<tenant::Tenant>> {
        return tenant::list(session);
    }));
    if (context.json) {
        json::array all;
        for (const auto& tenant : tenants) all.push_back(to_json(tenant));
        print_json(json::object{{"tenants", std::move(all)}});
        return {};
    }
    if (tenants.empty()) {
        std::printf("No tenant yet. Make one: rootstock tenant create NAME\n");
        return {};
    }
    Table table({"TENANT", "STATUS", "CREATED", "ID"});
    for (const auto& tenant : tenants)
        table.add({tenant.name, tenant::name(tenant.status), to_iso8601(tenant.created), tenant.id.text()});
    std::printf("%s", table.text().c_str());
    return {};
}

}  // namespace

void add_tenant_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("tenant", "Customers: create, list");
    group->require_subcommand(1);

    auto* creating = group->add_subcommand("create", "A new customer, with open books");
    auto options = std::make_shared<CreateOptions>();
    creating->add_option("NAME", options->name, "Letters, digits, dots, hyphens, underscores")->required();
    creating->add_option("--plan", options->plan, "What it pays")->capture_default_str();
    creating->callback([&context, options] { run_command(context, [&] { return create(context, *options); }); });

    auto* listing = group->add_subcommand("list", "All customers");
    listing->callback([&context] { run_command(context, [&] { return list(context); }); });
}

}  // namespace rootstock
