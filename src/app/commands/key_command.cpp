#include <algorithm>
#include <cstdio>

#include "app/commands/commands.h"
#include "app/contract/contract.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

struct CreateOptions {
    std::string tenant, name;
    bool house = false;
    tenant::Scopes scopes;
    int days = 0;  // until it expires; 0: never
    tenant::Limits limits;
};

struct LimitOptions {
    std::string which;
    tenant::Limits limits;
};

constexpr std::int64_t micros_per_day = 86'400'000'000;
constexpr int days_max = 36'500;

std::string when(const std::optional<Timestamp>& instant) { return instant ? to_iso8601(*instant) : "never"; }

const char* state_of(const tenant::ApiKey& key, Timestamp now) {
    if (key.revoked) return "revoked";
    return key.expires && *key.expires <= now ? "expired" : "valid";
}

json::object to_json(const tenant::ApiKey& key) {
    json::object object{{"id", key.id.text()},
                        {"prefix", key.prefix},
                        {"name", key.name},
                        {"tenant", key.tenant.text()},
                        {"state", state_of(key, system_clock().now())},
                        {"created", to_iso8601(key.created)},
                        {"limits", rootstock::to_json(key.limits)}};
    json::array scopes;
    for (const auto& scope : key.scopes) scopes.emplace_back(scope);
    object["scopes"] = std::move(scopes);
    if (key.expires) object["expires"] = to_iso8601(*key.expires);
    if (key.revoked) object["revoked"] = to_iso8601(*key.revoked);
    return object;
}

Result<void> check_scopes(const tenant::Scopes& scopes) {
    const auto known = Contract::built_in().scopes();
    for (const auto& scope : scopes) {
        if (std::ranges::binary_search(known, scope)) continue;
        std::string all;
        for (const auto& word : known) all.append(all.empty() ? "" : ", ").append(word);
        return fail(ErrorCode::invalid_argument, "there is no scope '" + scope + "'; there are: " + all, "scope");
    }
    return {};
}

Result<TenantId> owner_of(store::Session& session, bool house, const std::string& name) {
    if (house) return tenant::house;
    ROOTSTOCK_TRY(owner, tenant::find(session, name));
    return owner.id;
}

Result<void> create(const Context& context, const CreateOptions& options) {
    ROOTSTOCK_CHECKED(check_scopes(options.scopes));
    ROOTSTOCK_TRY(place, open_workplace(context));
    const auto now = system_clock().now();
    std::optional<Timestamp> expires;
    if (options.days > 0) expires = Timestamp{now.micros + options.days * micros_per_day};
    ROOTSTOCK_TRY(made, place.records->write_now([&](store::Session& session) -> Result<tenant::NewKey> {
        ROOTSTOCK_TRY(owner, owner_of(session, options.house, options.tenant));
        return tenant::create_key(session, owner, options.name, expires, now, options.limits, options.scopes);
    }));
    if (context.json) {
        auto object = to_json(made.key);
        object["secret"] = made.secret;
        print_json(object);
        return {};
    }
    std::fprintf(stderr, "This key is shown once and kept nowhere; expires: %s.\n", when(expires).c_str());
    std::printf("%s\n", made.secret.c_str());
    return {};
}

Result<void> list(const Context& context, bool house, const std::string& tenant) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(keys, place.records->read([&](store::Session& session) -> Result<std::vector<tenant::ApiKey>> {
        ROOTSTOCK_TRY(owner, owner_of(session, house, tenant));
        return tenant::list_keys(session, owner);
    }));
    if (context.json) {
        json::array all;
        for (const auto& key : keys) all.push_back(to_json(key));
        print_json(json::object{{"keys", std::move(all)}});
        return {};
    }
    if (keys.empty()) {
        std::printf("No key yet. Make one: rootstock key create %s\n",
                    house ? "--house --scope SCOPE" : ("--tenant " + tenant).c_str());
        return {};
    }
    Table table({"KEY", "STATE", "NAME", "LIMITS", "CREATED", "EXPIRES", "ID"});
    for (const auto& key : keys)
        table.add({key.prefix + "...", state_of(key, system_clock().now()), key.name, limits_text(key.limits),
                   to_iso8601(key.created), when(key.expires), key.id.text()});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> revoke(const Context& context, const std::string& which) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(key, place.records->write_now([&](store::Session& session) {
        return tenant::revoke_key(session, which, system_clock().now());
    }));
    if (context.json) {
        print_json(to_json(key));
        return {};
    }
    std::printf("The key %s... is revoked since %s.\n", key.prefix.c_str(), when(key.revoked).c_str());
    return {};
}

Result<void> limit(const Context& context, const LimitOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(key, place.records->write_now([&](store::Session& session) {
        return tenant::set_key_limits(session, options.which, options.limits);
    }));
    if (context.json) {
        print_json(to_json(key));
        return {};
    }
    std::printf("The limits of the key %s... are from now on: %s.\n", key.prefix.c_str(),
                limits_text(key.limits).c_str());
    return {};
}

void add_limit(CLI::App& group, Context& context) {
    auto* command =
        group.add_subcommand("limit", "How much a key may ask for from now on; what is not given is no limit");
    auto options = std::make_shared<LimitOptions>();
    command->add_option("KEY", options->which, "The id or the visible part that `key list` shows")->required();
    add_limit_options(*command, options->limits);
    command->callback([&context, options] { run_command(context, [&] { return limit(context, *options); }); });
}

void add_owner_options(CLI::App& command, std::string& tenant, bool& house) {
    auto* whose = command.add_option_group("owner", "Whose it is");
    whose->add_option("--tenant", tenant, "A customer's")->type_name("TENANT");
    whose->add_flag("--house", house, "The house's own, for the management API");
    whose->require_option(1);
}

void add_create(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("create", "A new key; its secret is printed once");
    auto options = std::make_shared<CreateOptions>();
    add_owner_options(*command, options->tenant, options->house);
    command->add_option("--scope", options->scopes, "What it may call; may be given again [everything under /v1]");
    command->add_option("--name", options->name, "To remember what it is for");
    command->add_option("--days", options->days, "Days until it expires [never]")->check(CLI::Range(1, days_max));
    add_limit_options(*command, options->limits);
    command->callback([&context, options] { run_command(context, [&] { return create(context, *options); }); });
}

}  // namespace

void add_key_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("key", "API keys: create, list, limit, revoke");
    group->require_subcommand(1);
    add_create(*group, context);
    add_limit(*group, context);

    auto* listing = group->add_subcommand("list", "A customer's keys, without their secrets");
    auto whose = std::make_shared<CreateOptions>();
    add_owner_options(*listing, whose->tenant, whose->house);
    listing->callback(
        [&context, whose] { run_command(context, [&] { return list(context, whose->house, whose->tenant); }); });

    auto* revoking = group->add_subcommand("revoke", "End a key for good; it is refused from the next request on");
    auto which = std::make_shared<std::string>();
    revoking->add_option("KEY", *which, "The id or the visible part that `key list` shows")->required();
    revoking->callback([&context, which] { run_command(context, [&] { return revoke(context, *which); }); });
}

}  // namespace rootstock
