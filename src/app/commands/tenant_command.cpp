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
            {"created", to_iso8601(tenant.created)},
            {"limits", rootstock::to_json(tenant.limits)}};
}

struct CreateOptions {
    std::string name;
    std::string plan{ledger::default_plan};
};

struct LimitOptions {
    std::string name;
    tenant::Limits limits;
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
    Table table({"TENANT", "STATUS", "LIMITS", "CREATED", "ID"});
    for (const auto& tenant : tenants)
        table.add({tenant.name, tenant::name(tenant.status), limits_text(tenant.limits), to_iso8601(tenant.created),
                   tenant.id.text()});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> limit(const Context& context, const LimitOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(tenant, place.records->write_now([&](store::Session& session) -> Result<tenant::Tenant> {
        ROOTSTOCK_TRY(found, tenant::find(session, options.name));
        return tenant::set_limits(session, found.id, options.limits);
    }));
    if (context.json) {
        print_json(to_json(tenant));
        return {};
    }
    std::printf("The limits of %s, all its keys together, are from now on: %s.\n", tenant.name.c_str(),
                limits_text(tenant.limits).c_str());
    return {};
}

}  // namespace

void add_tenant_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("tenant", "Customers: create, list, limit");
    group->require_subcommand(1);

    auto* creating = group->add_subcommand("create", "A new customer, with open books");
    auto options = std::make_shared<CreateOptions>();
    creating->add_option("NAME", options->name, "Letters, digits, dots, hyphens, underscores")->required();
    creating->add_option("--plan", options->plan, "What it pays")->capture_default_str();
    creating->callback([&context, options] { run_command(context, [&] { return create(context, *options); }); });

    auto* limiting = group->add_subcommand(
        "limit", "How much all keys of a customer together may ask for from now on; what is not given is no limit");
    auto limits = std::make_shared<LimitOptions>();
    limiting->add_option("NAME", limits->name, "The customer's name or id")->required();
    add_limit_options(*limiting, limits->limits);
    limiting->callback([&context, limits] { run_command(context, [&] { return limit(context, *limits); }); });

    auto* listing = group->add_subcommand("list", "All customers");
    listing->callback([&context] { run_command(context, [&] { return list(context); }); });
}

}  // namespace rootstock
