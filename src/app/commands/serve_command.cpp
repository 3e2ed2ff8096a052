// rootstock serve: answers requests until it is told to stop.

#include "app/commands/commands.h"
#include "app/commands/serve_options.h"
#include "app/wiring/serve.h"

namespace rootstock {
namespace {

void announce(const Context& context, const Listening& listening) {
    if (context.json) {
        json::array bases;
        for (const auto& base : listening.bases)
            bases.push_back(json::object{{"base", base.name}, {"executor", base.description}});
        json::object told{
            {"listening", listening.address}, {"bases", std::move(bases)}, {"seconds", listening.seconds}};
        if (!listening.certificate_until.empty()) told["certificate_until"] = listening.certificate_until;
        print_json(told);
        return;
    }
    for (const auto& base : listening.bases) {
        std::printf("base model   %s\n", base.name.c_str());
        std::printf("executor     %s\n", base.description.c_str());
    }
    if (!listening.certificate_until.empty())
        std::printf("certificate  valid until %s\n", listening.certificate_until.c_str());
    std::printf("listening on %s\n", listening.address.c_str());
    std::fflush(stdout);
}

}  // namespace

void add_serve_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("serve", "answer requests over HTTP");
    auto options = std::make_shared<ServeOptions>();
    auto file = std::make_shared<std::string>();
    add_serve_options(*command, *options);
    command
        ->add_option("--settings", *file,
                     "file of `name = value` lines, the options here without their hyphens; read again on SIGHUP")
        ->type_name("FILE");
    // The parser writes into `options`, so they live as long as it does; what counts is read by serve_settings, each
    // time.
    command->callback([&context, command, file, options] {
        run_command(context, [&]() -> Result<void> {
            SettingsSource source = [&context, given = given_words(*command), file = *file] {
                return serve_settings(context, given, file);
            };
            return serve(source, [&](const Listening& listening) { announce(context, listening); });
        });
    });
}

}  // namespace rootstock
