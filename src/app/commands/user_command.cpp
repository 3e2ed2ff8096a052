// rootstock user: people, made by whoever has the machine. There are no default credentials: the first owner of the
// house is made here.

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "app/commands/commands.h"
#include "app/contract/contract.h"

namespace rootstock {
namespace {

struct UserOptions {
    std::string email, name, tenant;
    bool house = false, password = false;
    std::string role{tenant::name(tenant::Role::owner)};
};

struct Made {
    tenant::Person person;
    std::string password;  // empty: it was given
};

Result<TenantId> place_of(store::Session& session, const UserOptions& options) {
    if (options.house) return tenant::house;
    ROOTSTOCK_TRY(found, tenant::find(session, options.tenant));
    return found.id;
}

json::object to_json(const tenant::Person& person, const std::vector<tenant::Membership>& memberships) {
    json::array all;
    for (const auto& membership : memberships)
        all.push_back(json::object{{"tenant", membership.tenant_name}, {"role", tenant::name(membership.role)}});
    return {{"id", person.id.text()},
            {"email", person.email},
            {"name", person.name},
            {"active", person.active},
            {"created", to_iso8601(person.created)},
            {"memberships", std::move(all)}};
}

// One line of standard input, so that it stands in no list of processes; without --password one is drawn.
Result<Made> new_password(const UserOptions& options) {
    Made made;
    std::string chosen;
    if (options.password) {
        std::getline(std::cin, chosen);
    } else {
        made.password = chosen = secret_base62(20);
    }
    ROOTSTOCK_CHECKED(tenant::check_password(chosen));
    made.person.name = tenant::hash_password(chosen);
    return made;
}

Result<void> create(const Context& context, const UserOptions& options) {
    ROOTSTOCK_TRY(role, tenant::role_of(options.role));
    ROOTSTOCK_TRY(made, new_password(options));
    const std::string hash = std::exchange(made.person.name, "");
    ROOTSTOCK_TRY(place, open_workplace(context));
    const auto now = system_clock().now();
    ROOTSTOCK_TRY(person, place.records->write_now([&](store::Session& session) -> Result<tenant::Person> {
        ROOTSTOCK_TRY(where, place_of(session, options));
        ROOTSTOCK_TRY(added, tenant::create_person(session, options.email, options.name, hash, now));
        ROOTSTOCK_CHECKED(tenant::set_role(session, where, added.id, role, now));
        return std::move(added);
    }));
    if (context.json) {
        auto object = to_json(person, {});
        object.erase("memberships");
        object["role"] = tenant::name(role);
        object["password"] = made.password.empty() ? json::value(nullptr) : json::value(made.password);
        print_json(object);
        return {};
    }
    if (made.password.empty()) {
        std::printf("%s is %s.\n", person.email.c_str(), tenant::name(role));
        return {};
    }
    std::fprintf(stderr, "%s is %s. This password is shown once; change it after the first sign-in.\n",
                 person.email.c_str(), tenant::name(role));
    std::printf("%s\n", made.password.c_str());
    return {};
}

Result<void> list(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    json::array all;
    Table table({"USER", "NAME", "ROLES", "CREATED", "ID"});
    ROOTSTOCK_CHECKED(place.records->read([&](store::Session& session) -> Result<void> {
        for (const auto& person : tenant::list_persons(session)) {
            const auto memberships = tenant::memberships_of(session, person.id);
            std::string roles;
            for (const auto& membership : memberships)
                roles += (roles.empty() ? "" : ", ") + membership.tenant_name + " " + tenant::name(membership.role);
            table.add({person.email, person.name, roles, to_iso8601(person.created), person.id.text()});
            all.push_back(to_json(person, memberships));
        }
        return {};
    }));
    if (context.json) {
        print_json(json::object{{"users", std::move(all)}});
    } else {
        std::printf("%s", table.text().c_str());
    }
    return {};
}

// For who lost the authenticator and the recovery codes: whoever has the machine may do it.
Result<void> reset_second_factor(const Context& context, const std::string& email) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(person, place.records->write_now([&](store::Session& session) -> Result<tenant::Person> {
        auto found = tenant::find_person(session, email);
        if (!found) return fail(ErrorCode::not_found, "there is no user '" + email + "'", "EMAIL", "person_not_found");
        tenant::remove_second_factor(session, found->id);
        return std::move(*found);
    }));
    if (context.json) {
        print_json(json::object{{"id", person.id.text()}, {"second_factor", false}});
    } else {
        std::printf("%s signs in with the password alone now.\n", person.email.c_str());
    }
    return {};
}

// What each role may do: the x-roles of the contract, the one place where they stand.
Result<void> show_roles(const Context& context) {
    json::array all;
    std::vector<std::string> header{"OPERATION"};
    for (const auto role : tenant::roles) header.emplace_back(tenant::name(role));
    Table table(header);
    for (const auto& operation : Contract::built_in().operations()) {
        if (operation.roles.empty()) continue;
        std::vector<std::string> row{operation.method + " " + operation.pattern};
        for (const auto role : tenant::roles)
            row.emplace_back(std::ranges::find(operation.roles, tenant::name(role)) != operation.roles.end() ? "yes"
                                                                                                             : "");
        table.add(std::move(row));
        all.push_back(json::object{{"method", operation.method},
                                   {"path", operation.pattern},
                                   {"house_only", operation.subject == Subject::house},
                                   {"roles", json::value_from(operation.roles)}});
    }
    if (context.json) {
        print_json(json::object{{"operations", std::move(all)}});
    } else {
        std::printf("%s", table.text().c_str());
    }
    return {};
}

}  // namespace

void add_user_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("user", "People who sign in: create, list, roles, reset-second-factor");
    group->require_subcommand(1);
    auto* creating = group->add_subcommand("create", "A person with a role; the password is drawn and printed once");
    auto options = std::make_shared<UserOptions>();
    creating->add_option("EMAIL", options->email, "The address to sign in with")->required();
    creating->add_option("--name", options->name, "As people call him or her");
    auto* where = creating->add_option_group("where", "Where");
    where->add_option("--tenant", options->tenant, "At a customer")->type_name("TENANT");
    where->add_flag("--house", options->house, "In the house, which acts for every customer");
    where->require_option(1);
    creating->add_option("--role", options->role, "owner, admin, developer, billing, support, auditor")
        ->capture_default_str();
    creating->add_flag("--password", options->password, "Read the password from standard input");
    creating->callback([&context, options] { run_command(context, [&] { return create(context, *options); }); });
    auto* reset = group->add_subcommand("reset-second-factor", "For who lost the authenticator and the recovery codes");
    auto email = std::make_shared<std::string>();
    reset->add_option("EMAIL", *email, "The address of the person")->required();
    reset->callback([&context, email] { run_command(context, [&] { return reset_second_factor(context, *email); }); });
    auto* roles = group->add_subcommand("roles", "What each role may do over the management API");
    roles->callback([&context] { run_command(context, [&] { return show_roles(context); }); });
    auto* listing = group->add_subcommand("list", "Everybody, with their roles");
    listing->callback([&context] { run_command(context, [&] { return list(context); }); });
}

}  // namespace rootstock
