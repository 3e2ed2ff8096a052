// autograd_device_check [--device cpu|cuda] [--goldens FOLDER] [--json]
//
// Runs every model of tests/golden/families on the device in fp32 and prints how far its states, logits, losses and
// gradients are from the reference's. Exit code 0: all within bounds; 1: some are not, or a file is wrong; 2: usage, or
// no such device.

#include <torch/torch.h>
#include <torch/version.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "autograd/family_goldens.h"

namespace rootstock {
namespace {

struct Options {
    std::string device = "cpu";
    std::string goldens = "tests/golden/families";
    bool json = false;
};

int usage(const std::string& sentence) {
    std::fprintf(stderr, "%s\nautograd_device_check [--device cpu|cuda] [--goldens FOLDER] [--json]\n",
                 sentence.c_str());
    return 2;
}

void say(const std::string& name, const GoldenFindings& found, bool as_json) {
    if (as_json) {
        json::object line{{"model", name},        {"hidden", found.hidden},         {"logits", found.logits},
                          {"loss", found.loss},   {"gradient", found.gradient},     {"parameter", found.parameter},
                          {"good", found.good()}, {"parameters", found.parameters}, {"missing", found.missing}};
        std::printf("%s\n", json::serialize(line).c_str());
        return;
    }
    std::printf("%-20s %-5s states %.1e  logits %.1e  losses %.1e  %3d gradients %.1e %s\n", name.c_str(),
                found.good() ? "ok" : "WRONG", found.hidden, found.logits, found.loss, found.parameters, found.gradient,
                found.good() ? "" : found.parameter.c_str());
}

int run(const Options& options) {
    bool cuda = options.device == "cuda";
    if (cuda && !torch::cuda::is_available()) return usage("this libtorch sees no CUDA device");
    Placement placement{torch::Device(cuda ? torch::kCUDA : torch::kCPU), torch::kFloat32, Route::torch_ops};
    if (!options.json) std::printf("libtorch %s, %s\n", TORCH_VERSION, placement.description().c_str());
    auto folders = golden_families(options.goldens);
    if (folders.empty()) return usage("no golden models in " + options.goldens);
    int wrong = 0;
    for (const auto& folder : folders) {
        auto golden = FamilyGolden::read(folder);
        auto findings = golden ? golden->check(placement) : std::unexpected(golden.error());
        if (!findings) std::fprintf(stderr, "%s: %s\n", folder.c_str(), findings.error().message.c_str());
        if (findings) say(folder.filename().string(), *findings, options.json);
        wrong += !findings || !findings->good();
    }
    if (!options.json) std::printf("%zu models, %d wrong\n", folders.size(), wrong);
    return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    rootstock::Options options;
    for (int i = 1; i < count; ++i) {
        std::string_view word = words[i];
        bool has_value = i + 1 < count;
        if (word == "--json")
            options.json = true;
        else if (word == "--device" && has_value)
            options.device = words[++i];
        else if (word == "--goldens" && has_value)
            options.goldens = words[++i];
        else
            return rootstock::usage("\"" + std::string(word) + "\" is not understood");
    }
    if (options.device != "cpu" && options.device != "cuda")
        return rootstock::usage("\"" + options.device + "\" is no device");
    try {
        return rootstock::run(options);
    } catch (const c10::Error& error) {
        std::fprintf(stderr, "libtorch: %s\n", error.what_without_backtrace());
        return 1;
    }
}
