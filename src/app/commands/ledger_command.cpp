#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"

namespace rootstock {
namespace {

json::value to_json(const ledger::Verification& books) {
    return json::object{{"balanced", books.problems.empty()},
                        {"accounts", books.accounts},
                        {"transfers", books.transfers},
                        {"usage_events", books.usage_events},
                        {"open_reservations", books.open_reservations},
                        {"digest", books.digest},
                        {"problems", json::value_from(books.problems)}};
}

void print(const ledger::Verification& books) {
    std::printf("%s accounts, %s transfers, %s usage events, %s open reservations\n", count(books.accounts).c_str(),
                count(books.transfers).c_str(), count(books.usage_events).c_str(),
                count(books.open_reservations).c_str());
    std::printf("digest of all transfers: %s\n", books.digest.c_str());
    for (const auto& problem : books.problems)
        std::printf("%s %s\n", paint(Colour::red, "wrong:").c_str(), problem.c_str());
    if (books.problems.empty()) std::printf("%s\n", paint(Colour::green, "The books balance.").c_str());
}

Result<void> run_verify(Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(books, place.records->read([](store::Session& session) -> Result<ledger::Verification> {
        return ledger::verify(session);
    }));
    if (context.json) {
        print_json(to_json(books));
    } else {
        print(books);
    }
    if (!books.problems.empty()) context.exit_code = 1;
    return {};
}

}  // namespace

void add_ledger_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("ledger", "The books: verify");
    group->require_subcommand(1);
    auto* verifying = group->add_subcommand("verify", "Fold every balance again from its transfers");
    verifying->footer("Exit code 0 when the books balance, 1 when they do not.");
    verifying->callback([&context] { run_command(context, [&] { return run_verify(context); }); });
}

}  // namespace rootstock
