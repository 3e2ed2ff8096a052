#pragma once
// adapter_config.json of the peft library, and which modules it means.

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/base.h"
#include "model/adapter/adapter.h"
#include "model/families/family.h"

namespace rootstock {

// How peft names modules: a list of path endings, or one regular expression for the whole path. The word "all-linear"
// stands for every linear map.
using ModuleNames = std::variant<std::vector<std::string>, std::string>;

struct PeftConfig {
    LoraSettings settings;  // settings.targets is not filled here
    bool dora = false;
    bool fan_in_fan_out = false;     // the base keeps its maps as [in, out] (GPT-2's Conv1D)
    std::string task_type;           // "SEQ_CLS"; may be empty
    std::vector<std::string> saved;  // modules_to_save: trained whole, not by a low-rank update
    ModuleNames targets;
    std::optional<ModuleNames> excluded;
    std::map<std::string, int> rank_pattern;  // key: regular expression for a path's ending
    std::map<std::string, double> alpha_pattern;
    std::optional<std::vector<int>> layers;  // layers_to_transform
    std::string base_name;

    // Rank and scale of the module with this path.
    Result<int> rank_of(const std::string& path) const;
    Result<double> scale_of(const std::string& path) const;

    // Does the adapter change this linear map, whose path is `path`?
    Result<bool> selects(const std::string& path, const LinearMap& map) const;
};

// What an adapter is read for. Grafted on a base in memory it is a low-rank update and a head, no more; merged into the
// base's weights it may also rescale rows (DoRA) and replace modules.
enum class PeftUse { grafted, grafted_dora, merged };

// unsupported names the feature that we do not run; `what` is the file in sentences.
Result<PeftConfig> peft_config_from_json(const json::value& value, const std::string& what,
                                         PeftUse use = PeftUse::grafted);

// The configuration that makes peft rebuild `adapter` on `spec`.
json::object peft_config_to_json(const Adapter& adapter, const TransformerSpec& spec);

// Whether peft puts the adapter on a model with a head (a classifier, a language model), in which the base stands under
// a name of its own.
bool inside_headed_model(const Adapter& adapter);

// "bert.encoder.layer.0.attention.self.query" inside a classifier, without "bert." on a bare encoder.
std::string peft_path(const TransformerSpec& spec, std::string_view module, bool inside_classifier);

}  // namespace rootstock
