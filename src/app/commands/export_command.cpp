#include <cstdio>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

void print(const Context& context, const Exported& done) {
    if (context.json) {
        json::array left_out(done.left_out.begin(), done.left_out.end());
        print_json(
            json::object{{"output", done.output.string()}, {"bytes", done.bytes}, {"left_out", std::move(left_out)}});
        return;
    }
    if (!done.left_out.empty())
        std::printf(
            "left out, for GGUF has no place for %s: %s%s\n", done.left_out.size() == 1 ? "it" : "them",
            done.left_out.front().c_str(),
            done.left_out.size() == 1 ? "" : (" and " + std::to_string(done.left_out.size() - 1) + " more").c_str());
    std::printf("written: %s (%s)\n", done.output.c_str(), format_bytes(done.bytes).c_str());
}

Result<void> run_export(const Context& context, const ExportOrder& order) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(done, export_model(*place.records, place.home, order));
    print(context, done);
    return {};
}

Result<void> run_merge(const Context& context, const MergeOrder& order) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(done, merge_model(*place.records, place.home, order));
    print(context, done);
    return {};
}

template <typename Order>
void add_form(CLI::App& command, Order& order) {
    command.add_option("--output", order.output, "Folder to make, or file for a GGUF; must not be there yet")
        ->required()
        ->type_name("FOLDER|FILE");
    command
        .add_option(
            "--dtype", order.dtype,
            "Type of the weights: auto, f32, f16, bf16 for a folder [auto]; f16, f32, q8_0, q4_0 for a GGUF [f16]")
        ->type_name("TYPE");
    command
        .add_option("--shard-bytes", order.shard_bytes_max, "Begin another weights file beyond so many bytes [5 GiB]")
        ->check(CLI::PositiveNumber)
        ->type_name("BYTES");
    command.add_option("--tenant", order.tenant, "Customer who owns the adapter [the house]")->type_name("TENANT");
}

}  // namespace

void add_export_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("export", "Write a model or an adapter in the files other tools read");
    auto order = std::make_shared<ExportOrder>();
    command->add_option("NAME", order->name, "Base model or adapter by name, or a folder or .gguf file")->required();
    command->add_option("--format", order->format, "hf, gguf (a base model), peft or merged (an adapter)")
        ->required()
        ->type_name("FORMAT");
    add_form(*command, *order);
    command->footer(
        "hf is a folder for transformers, gguf a file for llama.cpp, peft a folder for peft, merged the adapter with\n"
        "its base as one model (a GGUF file when the output ends in .gguf).");
    command->callback([&context, order] { run_command(context, [&] { return run_export(context, *order); }); });
}

void add_merge_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("merge", "Make one model of a base and an adapter");
    auto order = std::make_shared<MergeOrder>();
    command->add_option("ADAPTER", order->adapter, "Adapter by name, or a PEFT folder")->required();
    command->add_option("--base", order->base, "Base model by name, or a folder or .gguf file [the adapter's own]")
        ->type_name("MODEL");
    add_form(*command, *order);
    command->footer(
        "LoRA, rsLoRA and DoRA are merged as peft merges them; a head and modules saved whole replace the base's.");
    command->callback([&context, order] { run_command(context, [&] { return run_merge(context, *order); }); });
}

}  // namespace rootstock
