#include <algorithm>
#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "app/contract/contract.h"
#include "ledger/ledger.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

struct BudgetOptions {
    std::string amount, period = "month";
};

struct CreateOptions {
    std::string tenant, name;
    bool house = false;
    tenant::Scopes scopes;
    int days = 0;  // until it expires; 0: never
    tenant::Limits limits;
    tenant::KeyModels models;
    BudgetOptions budget;
};

struct LimitOptions {
    std::string which;
    tenant::Limits limits;
};

struct ModelOptions {
    std::string which;
    tenant::KeyModels models;
};

struct SpendOptions {
    std::string which;
    BudgetOptions budget;
};

constexpr std::int64_t micros_per_day = 86'400'000'000;
constexpr int days_max = 36'500;

std::string when(const std::optional<Timestamp>& instant) { return instant ? to_iso8601(*instant) : "never"; }

const char* state_of(const tenant::ApiKey& key, Timestamp now) {
    if (key.revoked) return "revoked";
    return key.expires && *key.expires <= now ? "expired" : "valid";
}

// A key as the commands show it, with what it may spend.
struct ShownKey {
    tenant::ApiKey key;
    std::optional<ledger::KeyBudget> budget;
};

ShownKey shown(store::Session& session, tenant::ApiKey key) {
    auto budget = ledger::key_budget(session, key.id, system_clock().now());
    return {std::move(key), std::move(budget)};
}

std::string budget_text(const std::optional<ledger::KeyBudget>& budget) {
    if (!budget || !budget->amount) return "none";
    return format_exact(budget->spent) + " of " + format_exact(*budget->amount) +
           (budget->period == ledger::BudgetPeriod::month ? " a month" : "");
}

std::string models_text(const tenant::KeyModels& models) {
    std::string text;
    for (const auto& model : models) text.append(text.empty() ? "" : ", ").append(model);
    return text.empty() ? "all" : text;
}

json::object to_json(const ShownKey& one) {
    const auto& [key, budget] = one;
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
    object["models"] = json::value_from(key.models);
    object["budget"] = nullptr;
    if (budget && budget->amount)
        object["budget"] = json::object{{"amount", money(*budget->amount)},
                                        {"period", ledger::name(budget->period)},
                                        {"spent", money(budget->spent)},
                                        {"held", money(budget->held)}};
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

Result<std::optional<Micros>> amount_of(const BudgetOptions& options) {
    if (options.amount.empty() || options.amount == "none") return std::nullopt;
    ROOTSTOCK_TRY(amount, parse_micros(options.amount));
    return amount;
}

Result<void> set_budget(store::Session& session, const tenant::ApiKey& key, const BudgetOptions& options) {
    ROOTSTOCK_TRY(amount, amount_of(options));
    if (key.tenant.empty())
        return fail(ErrorCode::invalid_argument, "a key of the house spends nothing, so it has no budget", "budget");
    ROOTSTOCK_CHECKED(ledger::set_key_budget(session, key.tenant, key.id, amount,
                                             *ledger::budget_period(options.period), system_clock().now()));
    return {};
}

Result<void> create(const Context& context, const CreateOptions& options) {
    ROOTSTOCK_CHECKED(check_scopes(options.scopes));
    ROOTSTOCK_TRY(place, open_workplace(context));
    const auto now = system_clock().now();
    std::optional<Timestamp> expires;
    if (options.days > 0) expires = Timestamp{now.micros + options.days * micros_per_day};
    ROOTSTOCK_TRY(made, place.records->write_now([&](store::Session& session) -> Result<tenant::NewKey> {
        ROOTSTOCK_TRY(owner, owner_of(session, options.house, options.tenant));
        ROOTSTOCK_TRY(made, tenant::create_key(session, owner, options.name, expires, now, options.limits,
                                               options.scopes, {}, options.models));
        if (!options.budget.amount.empty()) ROOTSTOCK_CHECKED(set_budget(session, made.key, options.budget));
        return std::move(made);
    }));
    if (context.json) {
        ROOTSTOCK_TRY(one, place.records->read(
                               [&](store::Session& session) -> Result<ShownKey> { return shown(session, made.key); }));
        auto object = to_json(one);
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
    ROOTSTOCK_TRY(keys, place.records->read([&](store::Session& session) -> Result<std::vector<ShownKey>> {
        ROOTSTOCK_TRY(owner, owner_of(session, house, tenant));
        std::vector<ShownKey> all;
        for (auto& key : tenant::list_keys(session, owner)) all.push_back(shown(session, std::move(key)));
        return all;
    }));
    if (context.json) {
        json::array all;
        for (const auto& one : keys) all.push_back(to_json(one));
        print_json(json::object{{"keys", std::move(all)}});
        return {};
    }
    if (keys.empty()) {
        std::printf("No key yet. Make one: rootstock key create %s\n",
                    house ? "--house --scope SCOPE" : ("--tenant " + tenant).c_str());
        return {};
    }
    Table table({"KEY", "STATE", "NAME", "LIMITS", "MODELS", "BUDGET", "CREATED", "EXPIRES", "ID"});
    for (const auto& [key, budget] : keys)
        table.add({key.prefix + "...", state_of(key, system_clock().now()), key.name, limits_text(key.limits),
                   models_text(key.models), budget_text(budget), to_iso8601(key.created), when(key.expires),
                   key.id.text()});
    std::printf("%s", table.text().c_str());
    return {};
}

Result<void> revoke(const Context& context, const std::string& which) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(one, place.records->write_now([&](store::Session& session) -> Result<ShownKey> {
        ROOTSTOCK_TRY(key, tenant::revoke_key(session, which, system_clock().now()));
        return shown(session, std::move(key));
    }));
    if (context.json) {
        print_json(to_json(one));
        return {};
    }
    const auto& key = one.key;
    std::printf("The key %s... is revoked since %s.\n", key.prefix.c_str(), when(key.revoked).c_str());
    return {};
}

Result<void> limit(const Context& context, const LimitOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(one, place.records->write_now([&](store::Session& session) -> Result<ShownKey> {
        ROOTSTOCK_TRY(key, tenant::set_key_limits(session, options.which, options.limits));
        return shown(session, std::move(key));
    }));
    if (context.json) {
        print_json(to_json(one));
        return {};
    }
    std::printf("The limits of the key %s... are from now on: %s.\n", one.key.prefix.c_str(),
                limits_text(one.key.limits).c_str());
    return {};
}

Result<void> models(const Context& context, const ModelOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(one, place.records->write_now([&](store::Session& session) -> Result<ShownKey> {
        ROOTSTOCK_TRY(key, tenant::set_key_models(session, options.which, options.models));
        return shown(session, std::move(key));
    }));
    if (context.json) {
        print_json(to_json(one));
        return {};
    }
    std::printf("The key %s... may ask from now on: %s.\n", one.key.prefix.c_str(),
                models_text(one.key.models).c_str());
    return {};
}

Result<void> budget(const Context& context, const SpendOptions& options) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(one, place.records->write_now([&](store::Session& session) -> Result<ShownKey> {
        ROOTSTOCK_TRY(key, tenant::find_key(session, options.which));
        ROOTSTOCK_CHECKED(set_budget(session, key, options.budget));
        return shown(session, std::move(key));
    }));
    if (context.json) {
        print_json(to_json(one));
        return {};
    }
    std::printf("The budget of the key %s... is from now on: %s spent.\n", one.key.prefix.c_str(),
                budget_text(one.budget).c_str());
    return {};
}

void add_budget_options(CLI::App& command, BudgetOptions& options) {
    command.add_option("--period", options.period, "Of the budget: a calendar month (UTC), or all time [month]")
        ->check(CLI::IsMember({"month", "total"}));
}

void add_models(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("models", "Which models a key may ask from now on; none named: all");
    auto options = std::make_shared<ModelOptions>();
    command->add_option("KEY", options->which, "The id or the visible part that `key list` shows")->required();
    command->add_option("MODEL", options->models, "support (all versions), support@2, or ft:* (all that begin so)");
    command->callback([&context, options] { run_command(context, [&] { return models(context, *options); }); });
}

void add_budget(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("budget", "What a key may spend from now on");
    auto options = std::make_shared<SpendOptions>();
    command->add_option("KEY", options->which, "The id or the visible part that `key list` shows")->required();
    command->add_option("AMOUNT", options->budget.amount, "Such as 12.50, or none for no limit")->required();
    add_budget_options(*command, options->budget);
    command->callback([&context, options] { run_command(context, [&] { return budget(context, *options); }); });
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
    command->add_option("--model", options->models, "Which model it may ask; may be given again [all]");
    command->add_option("--budget", options->budget.amount, "What it may spend, such as 12.50 [no limit]");
    add_budget_options(*command, options->budget);
    command->callback([&context, options] { run_command(context, [&] { return create(context, *options); }); });
}

}  // namespace

void add_key_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("key", "API keys: create, list, limit, models, budget, revoke");
    group->require_subcommand(1);
    add_create(*group, context);
    add_limit(*group, context);
    add_models(*group, context);
    add_budget(*group, context);

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
