#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "model/adapter/adapter.h"
#include "model/adapter/adapter_meta.h"
#include "model/adapter/adapter_tensors.h"
#include "model/adapter/peft_config.h"
#include "model/files/pretty_json.h"
#include "model/files/safetensors.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kWeights = "adapter_model.safetensors";
constexpr const char* kMeta = "rootstock.json";
constexpr const char* kCard = "README.md";
constexpr std::size_t kJsonMax = std::size_t{16} << 20;

Result<json::value> read_json(const fs::path& path) {
    ROOTSTOCK_TRY(text, read_file(path, kJsonMax));
    return parse_json(text, path.string());
}

Result<void> read_meta(const fs::path& folder, const TransformerSpec& spec, Adapter& adapter) {
    std::error_code ignored;
    if (!fs::exists(folder / kMeta, ignored)) {
        default_adapter_meta(adapter);
        return {};
    }
    ROOTSTOCK_TRY(meta, read_json(folder / kMeta));
    return read_adapter_meta(meta, (folder / kMeta).string(), spec, adapter);
}

// The kinds that carry a pair; empty when all do, as settings have it.
std::vector<std::string> targets_of(const Adapter& adapter, const TransformerSpec& spec) {
    std::vector<std::string> targets;
    const auto maps = linear_maps(spec);
    for (const auto& kind : linear_kinds(spec))
        if (std::ranges::any_of(
                maps, [&](const auto& map) { return map.kind == kind && adapter.pairs.contains(map.module); }))
            targets.push_back(kind);
    if (targets == linear_kinds(spec)) targets.clear();
    return targets;
}

void check_fits(const Adapter& adapter, const TransformerSpec& spec) {
    std::size_t found = 0;
    for (const auto& map : linear_maps(spec)) {
        const auto place = adapter.pairs.find(map.module);
        if (place == adapter.pairs.end()) continue;
        const auto& pair = place->second;
        const auto rank = static_cast<std::size_t>(pair.rank);
        ROOTSTOCK_CHECK(pair.magnitude.empty() || pair.magnitude.size() == static_cast<std::size_t>(map.out),
                        "a length for every row");
        ROOTSTOCK_CHECK(pair.in == map.in && pair.out == map.out &&
                            pair.a.size() == rank * static_cast<std::size_t>(map.in) &&
                            pair.b.size() == rank * static_cast<std::size_t>(map.out),
                        "a pair has the sizes of its map");
        ++found;
    }
    ROOTSTOCK_CHECK(found == adapter.pairs.size(), "every pair belongs to a map of the model");
    const bool dense = !adapter.head.dense_weight.empty();
    ROOTSTOCK_CHECK(adapter.head.classes == 0 || dense == spec.classifier_dense,
                    "a head has a dense map where its family's classifiers have one");
    ROOTSTOCK_CHECK(static_cast<int>(adapter.labels.size()) == adapter.head.classes, "every class has a label");
}

}  // namespace

Result<void> save_adapter(const fs::path& folder, const Adapter& adapter, const TransformerSpec& spec) {
    check_fits(adapter, spec);
    return publish_folder(folder, [&](const fs::path& inside) -> Result<void> {
        ROOTSTOCK_CHECKED(write_safetensors(inside / kWeights, adapter_tensors(adapter, spec)));
        ROOTSTOCK_CHECKED(write_file_atomically(inside / kConfig, pretty_json(peft_config_to_json(adapter, spec))));
        ROOTSTOCK_CHECKED(write_file_atomically(inside / kMeta, pretty_json(adapter_meta_to_json(adapter))));
        return write_file_atomically(inside / kCard, adapter_card(adapter));
    });
}

Result<Adapter> load_adapter(const fs::path& folder, const TransformerSpec& spec, const std::string& base_digest,
                             bool with_dora) {
    ROOTSTOCK_TRY(value, read_json(folder / kConfig));
    const auto use = with_dora ? PeftUse::grafted_dora : PeftUse::grafted;
    ROOTSTOCK_TRY(config, peft_config_from_json(value, (folder / kConfig).string(), use));
    ROOTSTOCK_TRY(file, read_safetensors(folder / kWeights));
    Adapter adapter;
    adapter.settings = config.settings;
    adapter.base_name = config.base_name;
    ROOTSTOCK_CHECKED(read_adapter_tensors(file.tensors, config, spec, (folder / kWeights).string(), adapter));
    adapter.settings.targets = targets_of(adapter, spec);
    if (adapter.head.classes == 0) adapter.task = config.task_type == "CAUSAL_LM" ? "chat" : "embed";
    ROOTSTOCK_CHECKED(read_meta(folder, spec, adapter));
    if (!base_digest.empty() && !adapter.base_digest.empty() && base_digest != adapter.base_digest)
        return fail(ErrorCode::conflict,
                    folder.string() + " was made on the base model " + adapter.base_digest.substr(0, 12) + ", not on " +
                        base_digest.substr(0, 12) +
                        "; use it with the base it was made on, or train it again on this one",
                    {}, "adapter_misfit");
    return adapter;
}

Result<std::string> adapter_stamp(const fs::path& folder) {
    std::string facts = folder.filename().string();
    for (const char* name : {kConfig, kWeights, kMeta}) {
        const auto path = folder / name;
        struct stat file {};
        const bool there = ::stat(path.c_str(), &file) == 0;
        if (!there && (name != kMeta || errno != ENOENT))  // somebody else's adapter has no rootstock.json
            return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                        "cannot read " + path.string() + ": " + std::strerror(errno));
        facts += '\n' + std::string(name) + ' ' + std::to_string(file.st_ino) + ' ' + std::to_string(file.st_size) +
                 ' ' + std::to_string(file.st_mtim.tv_sec) + '.' + std::to_string(file.st_mtim.tv_nsec);
    }
    return sha256_hex(facts);
}

}  // namespace rootstock
