// rootstock classify: texts or pictures through an adapter, or through a model's own head, on this machine.

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

struct ClassifyCommand {
    ClassifyOrder order;
    std::vector<std::string> inputs;
    bool fp32 = false;
    int top = 1;
};

struct Chance {
    std::string label;
    float probability;
};

std::vector<Chance> best_of(const Classifier& classifier, const std::vector<float>& probabilities, int top) {
    std::vector<Chance> all;
    for (std::size_t i = 0; i < probabilities.size(); ++i) all.push_back({classifier.labels()[i], probabilities[i]});
    std::ranges::stable_sort(all, std::ranges::greater(), &Chance::probability);
    all.resize(std::min(all.size(), static_cast<std::size_t>(top)));
    return all;
}

void print(const Context& context, const std::string& input, const std::vector<Chance>& best) {
    if (context.json) {
        json::array labels;
        for (const auto& one : best)
            labels.push_back(json::object{{"label", one.label}, {"probability", one.probability}});
        std::printf("%s\n", json::serialize(json::object{{"input", input}, {"labels", std::move(labels)}}).c_str());
    } else {
        for (const auto& one : best) std::printf("%-24s %6.2f %%  ", one.label.c_str(), 100 * one.probability);
        std::printf("%s\n", paint(Colour::dim, input).c_str());
    }
    std::fflush(stdout);
}

Result<void> run_classify(const Context& context, ClassifyCommand& command) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    command.order.native.precision = command.fp32 ? Precision::fp32 : Precision::bf16;
    ROOTSTOCK_TRY(classifier, Classifier::open(*place.records, place.home, command.order));
    const auto answer = [&](const std::string& input) -> Result<void> {
        ROOTSTOCK_TRY(probabilities, classifier.classify(input));
        print(context, input, best_of(classifier, probabilities, command.top));
        return {};
    };
    for (const auto& input : command.inputs) ROOTSTOCK_CHECKED(answer(input));
    if (!command.inputs.empty()) return {};
    for (std::string line; std::getline(std::cin, line);)
        if (!line.empty()) ROOTSTOCK_CHECKED(answer(line));
    return {};
}

}  // namespace

void add_classify_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("classify", "Say the class of texts or pictures, here and now");
    auto options = std::make_shared<ClassifyCommand>();
    command->add_option("NAME", options->order.name, "Adapter (spam, spam@2) or base model with a classifier")
        ->required();
    command->add_option("INPUT", options->inputs,
                        "Texts, or picture files for a vision model [a line of standard input each]");
    command->add_option("--tenant", options->order.tenant, "Customer who owns the adapter [the house]")
        ->type_name("TENANT");
    command->add_option("--top", options->top, "So many classes, the likeliest first")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    command->add_option("--threads", options->order.native.threads, "Cores [all]")->check(CLI::Range(1, 1024));
    command->add_flag("--fp32", options->fp32, "Compute in fp32 instead of bf16");
    command->callback([&context, options] { run_command(context, [&] { return run_classify(context, *options); }); });
}

}  // namespace rootstock
