#include "model/adapter/peft_config.h"

#include <algorithm>
#include <cmath>

#include "model/adapter/file_maps.h"

namespace rootstock {

namespace {

constexpr int kRankMax = 4096;

// Fields whose presence with any value but these changes what the adapter means.
struct Foreign {
    const char* field;
    const char* feature;
};
constexpr Foreign kForeign[] = {{"lora_bias", "biases in low-rank maps"},
                                {"use_qalora", "QALoRA"},
                                {"trainable_token_indices", "trained token embeddings"},
                                {"layer_replication", "layer replication"},
                                {"target_parameters", "updates of bare parameters"},
                                {"alora_invocation_tokens", "activated LoRA"},
                                {"arrow_config", "Arrow routing"}};

bool is_set(const json::value* value) {
    if (!value || value->is_null()) return false;
    if (const auto* flag = value->if_bool()) return *flag;
    if (const auto* array = value->if_array()) return !array->empty();
    if (const auto* object = value->if_object()) return !object->empty();
    return true;
}

class ConfigReader {
public:
    ConfigReader(const json::value& value, const std::string& what, PeftUse use)
        : what_(what), use_(use), fields_(value, what) {
        fields_.ignore_others();
    }
    Result<PeftConfig> read();

private:
    std::unexpected<Error> refuse(const std::string& feature, const char* field) const {
        return fail(ErrorCode::unsupported, what_ + " uses " + feature + ", which is not supported", field);
    }
    std::unexpected<Error> refuse_grafted(const std::string& feature, const char* field) const {
        return fail(ErrorCode::unsupported,
                    what_ + " uses " + feature +
                        ", which cannot be grafted on a base that others share; `rootstock merge` makes a model of it",
                    field);
    }
    Result<void> refuse_foreign();
    Result<void> check_initial_weights();
    void read_numbers(LoraSettings& settings);
    std::optional<ModuleNames> names(const char* field);
    template <typename Number>
    std::map<std::string, Number> pattern(const char* field, double low);
    std::optional<std::vector<int>> layers();

    std::string what_;
    PeftUse use_;
    JsonFields fields_;
};

Result<void> ConfigReader::refuse_foreign() {
    const auto type = fields_.required_string("peft_type");
    if (!type.empty() && type != "LORA") return refuse("the adapter kind \"" + type + "\"", "peft_type");
    const auto bias = fields_.optional_string("bias", "none");
    if (bias != "none") return refuse("trained biases (bias \"" + bias + "\")", "bias");
    for (const auto& foreign : kForeign)
        if (is_set(fields_.optional_value(foreign.field))) return refuse(foreign.feature, foreign.field);
    if (use_ == PeftUse::grafted && is_set(fields_.optional_value("use_dora")))
        return refuse_grafted("DoRA", "use_dora");
    constexpr std::string_view kHeads[] = {"classifier", "score", "pre_classifier", "classification_head"};
    for (const auto& module : fields_.optional_strings("modules_to_save"))
        if (use_ != PeftUse::merged && std::ranges::find(kHeads, std::string_view(module)) == std::end(kHeads))
            return refuse_grafted("a fully trained \"" + module + "\" (modules_to_save)", "modules_to_save");
    return check_initial_weights();
}

// These initialisations also change the base's weights, so their adapters are no updates of the base we hold.
Result<void> ConfigReader::check_initial_weights() {
    const auto* value = fields_.optional_value("init_lora_weights");
    const auto* text = value ? value->if_string() : nullptr;
    if (!text) return {};
    for (std::string_view kind : {"pissa", "olora", "corda", "loftq"})
        if (std::string_view(*text).starts_with(kind))
            return refuse("weights initialised by \"" + std::string(*text) +
                              "\", which change the base (convert it to a plain LoRA with peft)",
                          "init_lora_weights");
    return {};
}

void ConfigReader::read_numbers(LoraSettings& settings) {
    settings.rank = static_cast<int>(fields_.optional_int("r", 8, 1, kRankMax));
    settings.alpha = fields_.optional_number("lora_alpha", 8, -1e9, 1e9);
    settings.dropout = fields_.optional_number("lora_dropout", 0, 0, 1);
    settings.rank_stabilised = fields_.optional_bool("use_rslora", false);
}

std::optional<ModuleNames> ConfigReader::names(const char* field) {
    const auto* value = fields_.optional_value(field);
    if (!value || value->is_null()) return std::nullopt;
    if (const auto* text = value->if_string()) return ModuleNames(std::string(*text));
    return ModuleNames(fields_.optional_strings(field));
}

template <typename Number>
std::map<std::string, Number> ConfigReader::pattern(const char* field, double low) {
    std::map<std::string, Number> pattern;
    const auto* value = fields_.optional_value(field);
    if (!value || value->is_null()) return pattern;
    const auto* object = value->if_object();
    if (!object) fields_.fault(field, "must be an object of numbers");
    for (const auto& [key, number] : object ? *object : json::object{}) {
        boost::system::error_code code;
        const auto read = number.template to_number<Number>(code);
        if (code || !number.is_number() || read < low || read > 1e9)
            fields_.fault(field, "must be an object of numbers in range");
        else
            pattern.emplace(key, read);
    }
    return pattern;
}

std::optional<std::vector<int>> ConfigReader::layers() {
    const auto* value = fields_.optional_value("layers_to_transform");
    if (!value || value->is_null()) return std::nullopt;
    const auto list = value->is_array() ? value->as_array() : json::array{*value};
    std::vector<int> layers;
    for (const auto& item : list) {
        if (const auto* number = item.if_int64(); number && *number >= 0 && *number < 100000)
            layers.push_back(static_cast<int>(*number));
        else
            fields_.fault("layers_to_transform", "must be a layer's number or a list of them");
    }
    if (layers.empty()) return std::nullopt;
    return layers;
}

Result<PeftConfig> ConfigReader::read() {
    PeftConfig config;
    const auto foreign = refuse_foreign();
    read_numbers(config.settings);
    config.targets =
        names("target_modules").value_or(std::vector<std::string>{"query", "value"});  // peft's choice for BERT
    config.excluded = names("exclude_modules");
    config.rank_pattern = pattern<int>("rank_pattern", 1);
    config.alpha_pattern = pattern<double>("alpha_pattern", -1e9);
    config.layers = layers();
    config.base_name = fields_.optional_string("base_model_name_or_path", "");
    config.dora = fields_.optional_bool("use_dora", false);
    config.fan_in_fan_out = fields_.optional_bool("fan_in_fan_out", false);
    config.task_type = fields_.optional_string("task_type", "");
    config.saved = fields_.optional_strings("modules_to_save");
    ROOTSTOCK_CHECKED(fields_.finish());
    ROOTSTOCK_CHECKED(foreign);
    return config;
}

}  // namespace

Result<PeftConfig> peft_config_from_json(const json::value& value, const std::string& what, PeftUse use) {
    return ConfigReader(value, what, use).read();
}

std::string peft_path(const TransformerSpec& spec, std::string_view module, bool inside_classifier) {
    const auto& family = family_of(spec);
    auto path = family.module_path(module);
    return inside_classifier ? path : path.substr(std::string_view(family.prefix).size());
}

namespace {

// "attention.self.query": what stands after the layer's number, the same in every layer.
std::string path_ending(const FileMap& map) {
    if (map.maps.front().layer < 0) return map.bare_path;
    const auto number = "." + std::to_string(map.maps.front().layer) + ".";
    return map.bare_path.substr(map.bare_path.find(number) + number.size());
}

bool selects_exactly(const std::vector<std::string>& endings, const Adapter& adapter, const TransformerSpec& spec) {
    PeftConfig config;
    config.targets = endings;
    return std::ranges::all_of(file_maps(spec), [&](const FileMap& map) {
        return config.selects(map.path, map.maps.front()).value() == has_pair(map, adapter.pairs);
    });
}

// Endings where they say exactly which modules are meant, as people write them; whole paths otherwise.
std::vector<std::string> target_modules(const Adapter& adapter, const TransformerSpec& spec) {
    std::vector<std::string> endings, paths;
    for (const auto& map : file_maps(spec)) {
        if (!has_pair(map, adapter.pairs)) continue;
        endings.push_back(path_ending(map));
        paths.push_back(map.path_in(inside_headed_model(adapter)));
    }
    std::ranges::sort(endings);
    endings.erase(std::unique(endings.begin(), endings.end()), endings.end());
    return selects_exactly(endings, adapter, spec) ? endings : paths;
}

json::value whole_if_possible(double number) {
    if (number == std::floor(number) && std::abs(number) < 1e15) return static_cast<std::int64_t>(number);
    return number;
}

// A pair whose rank or scale is its own stands in both patterns, under its whole path.
void add_patterns(json::object& config, const Adapter& adapter, const TransformerSpec& spec) {
    json::object ranks, alphas;
    for (const auto& map : file_maps(spec)) {
        if (!has_pair(map, adapter.pairs)) continue;
        const auto pair = fused_pair(map, adapter.pairs);
        const auto usual = lora_scale(adapter.settings, pair.rank);
        const bool own_scale = std::abs(pair.scale - usual) > 1e-6f * std::abs(usual);
        if (pair.rank == adapter.settings.rank && !own_scale) continue;
        const auto& path = map.path_in(inside_headed_model(adapter));
        ranks[path] = pair.rank;
        const double divisor = adapter.settings.rank_stabilised ? std::sqrt(pair.rank) : pair.rank;
        alphas[path] =
            whole_if_possible(own_scale ? static_cast<double>(pair.scale) * divisor : adapter.settings.alpha);
    }
    config["rank_pattern"] = std::move(ranks);
    config["alpha_pattern"] = std::move(alphas);
}

}  // namespace

// The modules of transformers that hold the head: most families keep all of it in one.
json::array saved_modules(const TransformerSpec& spec) {
    const auto& family = family_of(spec);
    json::array modules{family.classifier};
    if (!spec.classifier_dense) return modules;
    const auto dense = family.tensor_names("head.dense.weight").front();
    const auto module = dense.substr(0, dense.find('.'));
    if (module != family.classifier) modules.emplace_back(module);
    return modules;
}

bool inside_headed_model(const Adapter& adapter) { return adapter.head.classes > 0 || adapter.task == "chat"; }

bool has_magnitudes(const Adapter& adapter) {
    return std::ranges::any_of(adapter.pairs, [](const auto& item) { return !item.second.magnitude.empty(); });
}

// Only fields that every peft of the last years knows: its older versions refuse a field they do not know.
json::object peft_config_to_json(const Adapter& adapter, const TransformerSpec& spec) {
    const bool classifier = adapter.head.classes > 0;
    json::array targets;
    for (const auto& target : target_modules(adapter, spec)) targets.emplace_back(target);
    json::object config{{"auto_mapping", nullptr},
                        {"bias", "none"},
                        {"fan_in_fan_out", file_maps(spec).front().transposed},  // GPT-2: [in, out]
                        {"inference_mode", true},
                        {"init_lora_weights", true},
                        {"layers_pattern", nullptr},
                        {"layers_to_transform", nullptr},
                        {"lora_alpha", whole_if_possible(adapter.settings.alpha)},
                        {"lora_dropout", adapter.settings.dropout},
                        {"peft_type", "LORA"},
                        {"r", adapter.settings.rank},
                        {"revision", nullptr},
                        {"target_modules", std::move(targets)},
                        {"use_dora", has_magnitudes(adapter)},
                        {"use_rslora", adapter.settings.rank_stabilised}};
    config["base_model_name_or_path"] =
        adapter.base_name.empty() ? json::value(nullptr) : json::value(adapter.base_name);
    config["modules_to_save"] = classifier ? json::value(saved_modules(spec)) : json::value(nullptr);
    const char* task = classifier ? "SEQ_CLS" : adapter.task == "chat" ? "CAUSAL_LM" : "FEATURE_EXTRACTION";
    const bool pictures = spec.inputs == Inputs::patches;  // peft has no word for their tasks
    config["task_type"] = pictures ? json::value(nullptr) : json::value(task);
    add_patterns(config, adapter, spec);
    return config;
}

}  // namespace rootstock
