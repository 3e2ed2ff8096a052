#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "app/wiring/records.h"

namespace rootstock {
namespace {

struct Move {
    std::string from, to;
};

Result<void> tell(const Context& context, const std::vector<store::TableSum>& tables) {
    if (context.json) {
        json::array list;
        for (const auto& table : tables)
            list.push_back(json::object{
                {"table", table.table}, {"rows", table.rows}, {"sum", table.sum}, {"digest", table.digest}});
        print_json(json::object{{"tables", std::move(list)}});
        return {};
    }
    std::int64_t rows = 0;
    for (const auto& table : tables) rows += table.rows;
    std::printf("%s rows of %zu tables copied; rows, sums and digests agree on both sides.\n", count(rows).c_str(),
                tables.size());
    return {};
}

Result<void> copy(const Context& context, const store::Location& from, const store::Location& to,
                  store::Source source) {
    ROOTSTOCK_TRY(tables, store::copy_store(from, to, all_migrations(), source));
    return tell(context, tables);
}

Result<void> run_migrate(const Context& context, const Move& move) {
    ROOTSTOCK_TRY(from, store::Location::parse(move.from));
    ROOTSTOCK_TRY(to, store::Location::parse(move.to));
    return copy(context, from, to, store::Source::still);
}

Result<void> run_backup(const Context& context, const std::string& file) {
    ROOTSTOCK_TRY(home, open_home(context.home));
    ROOTSTOCK_TRY(here, place_of_records(home));
    if (std::filesystem::exists(file))
        return fail(ErrorCode::already_exists, file + " is there already: give a new name", "FILE");
    return copy(context, here, std::filesystem::path(file), store::Source::live);
}

Result<void> run_restore(const Context& context, const std::string& file) {
    ROOTSTOCK_TRY(home, open_home(context.home));
    ROOTSTOCK_TRY(here, place_of_records(home));
    if (!std::filesystem::exists(file)) return fail(ErrorCode::not_found, "there is no file " + file, "FILE");
    return copy(context, std::filesystem::path(file), here, store::Source::still);
}

void add_migrate(CLI::App& group, Context& context) {
    auto move = std::make_shared<Move>();
    auto* command = group.add_subcommand("migrate", "Move the records to another database, of either kind");
    command->add_option("--from", move->from, "Where they are")->required()->type_name("sqlite:FILE|postgres://...");
    command->add_option("--to", move->to, "Where they go; must be unused")
        ->required()
        ->type_name("sqlite:FILE|postgres://...");
    command->footer("Nothing is written to the old place while they move. Start the servers with --store afterwards.");
    command->callback([&context, move] { run_command(context, [&] { return run_migrate(context, *move); }); });
}

using FileCommand = Result<void> (*)(const Context&, const std::string&);

void add_file_command(CLI::App& group, Context& context, const char* name, const char* purpose, FileCommand run) {
    auto file = std::make_shared<std::string>();
    auto* command = group.add_subcommand(name, purpose);
    command->add_option("FILE", *file, "A SQLite file of its own")->required();
    command->callback([&context, file, run] { run_command(context, [&] { return run(context, *file); }); });
}

}  // namespace

void add_store_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("store", "The records' place: migrate, backup, restore");
    group->require_subcommand(1);
    add_migrate(*group, context);
    add_file_command(*group, context, "backup", "Copy the records to a file, from under a running server", run_backup);
    add_file_command(*group, context, "restore", "Copy a backup into records that are unused", run_restore);
}

}  // namespace rootstock
