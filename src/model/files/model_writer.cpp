// Models out: Hugging Face folders.

#include <algorithm>
#include <cstdio>

#include "model/files/pretty_json.h"
#include "model/files/stored_model.h"
#include "model/files/written_file.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

const char* torch_name(Dtype dtype) {
    return dtype == Dtype::f16 ? "float16" : dtype == Dtype::bf16 ? "bfloat16" : "float32";
}

std::string text_of(const json::object& config, std::string_view field) {
    const auto* value = config.if_contains(field);
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

// ---- config.json in both spellings ----

// v4: rope_theta beside rope_scaling (null, or an object whose kind was once "type"); v5: one object rope_parameters.
void complete_rope(json::object& config) {
    const auto* parameters = config.if_contains("rope_parameters");
    const auto* theta = config.if_contains("rope_theta");
    if (parameters && parameters->is_object() && parameters->as_object().contains("rope_theta")) {
        auto scaling = parameters->as_object();
        const auto kind = text_of(scaling, "rope_type");
        if (!theta) config["rope_theta"] = scaling["rope_theta"];
        scaling.erase("rope_theta");
        const bool plain = kind.empty() || kind == "default";
        if (!config.contains("rope_scaling"))
            config["rope_scaling"] = plain ? json::value(nullptr) : json::value(scaling);
        return;
    }
    if (!theta || !theta->is_number() || parameters) return;
    json::object newer;
    if (const auto* scaling = config.if_contains("rope_scaling"); scaling && scaling->is_object())
        newer = scaling->as_object();
    if (newer.contains("type") && !newer.contains("rope_type")) newer["rope_type"] = newer["type"];
    newer.erase("type");
    if (!newer.contains("rope_type")) newer["rope_type"] = "default";
    newer["rope_theta"] = *theta;
    config["rope_parameters"] = std::move(newer);
}

struct Architecture {
    const char *type, *name;
};
constexpr Architecture kArchitectures[] = {
    {"bert", "BertModel"},         {"roberta", "RobertaModel"},          {"distilbert", "DistilBertModel"},
    {"gpt2", "GPT2LMHeadModel"},   {"llama", "LlamaForCausalLM"},        {"mistral", "MistralForCausalLM"},
    {"qwen2", "Qwen2ForCausalLM"}, {"t5", "T5ForConditionalGeneration"}, {"vit", "ViTModel"}};

void complete_labels(json::object& config) {
    const auto* names = config.if_contains("id2label");
    if (!names || !names->is_object()) return;
    json::object ids;
    for (const auto& [id, label] : names->as_object()) {
        const auto number = std::strtol(std::string(id).c_str(), nullptr, 10);
        if (label.is_string()) ids[label.as_string()] = number;
    }
    config["label2id"] = std::move(ids);
}

// ---- tensors ----

// Names under which files repeat another tensor of the model; with the tie declared they are not stored.
constexpr const char* kTied[] = {"lm_head.weight", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias",
                                 "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"};
constexpr const char* kOrigins[] = {"model.embed_tokens.weight",
                                    "transformer.wte.weight",
                                    "wte.weight",
                                    "shared.weight",
                                    "bert.embeddings.word_embeddings.weight",
                                    "embeddings.word_embeddings.weight",
                                    "cls.predictions.bias"};

bool same_numbers(const HostTensor& a, const HostTensor& b) {
    return a.dtype == b.dtype && a.shape == b.shape &&
           (a.bytes.data() == b.bytes.data() || std::ranges::equal(a.bytes, b.bytes));
}

bool is_tied(const StoredModel& model, const std::string& name, const HostTensor& tensor) {
    const auto* tie = model.config.if_contains("tie_word_embeddings");
    const auto type = text_of(model.config, "model_type");
    const bool usual = type != "llama" && type != "mistral" && type != "qwen2";  // the class's own default
    if (!(tie && tie->is_bool() ? tie->as_bool() : usual)) return false;
    if (std::ranges::find(kTied, name) == std::end(kTied)) return false;
    return std::ranges::any_of(kOrigins, [&](const char* origin) {
        const auto place = model.tensors.find(origin);
        return place != model.tensors.end() && same_numbers(place->second, tensor);
    });
}

bool is_number(Dtype dtype) { return is_weight(dtype) || dtype == Dtype::f64; }

Dtype written_as(const HostTensor& tensor, const ModelFormat& format) {
    if (!is_number(tensor.dtype)) return tensor.dtype;  // position ids and masks stay what they are
    if (!format.keep_dtype) return format.dtype;
    return is_blocks(tensor.dtype) ? Dtype::f32 : tensor.dtype;
}

std::uint64_t bytes_as(const HostTensor& tensor, Dtype dtype) {
    return static_cast<std::uint64_t>(tensor.elements()) * size_of(dtype);
}

struct Shard {
    std::vector<std::string> names;
    std::uint64_t bytes = 0;
};

std::vector<Shard> in_shards(const StoredModel& model, const ModelFormat& format) {
    std::vector<Shard> shards(1);
    for (const auto& [name, tensor] : model.tensors) {
        if (is_tied(model, name, tensor)) continue;
        const auto bytes = bytes_as(tensor, written_as(tensor, format));
        if (!shards.back().names.empty() && shards.back().bytes + bytes > format.shard_bytes_max) shards.emplace_back();
        shards.back().names.push_back(name);
        shards.back().bytes += bytes;
    }
    return shards;
}

std::string shard_name(std::size_t index, std::size_t count) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", index + 1, count);
    return count == 1 ? "model.safetensors" : name;
}

Result<void> write_text(const fs::path& path, const std::string& text) {
    const std::string_view pieces[] = {text};
    return write_pieces(path, pieces);
}

// One shard at a time stands converted in memory.
Result<void> write_shard(const StoredModel& model, const Shard& shard, const fs::path& path,
                         const ModelFormat& format) {
    std::map<std::string, HostTensor> tensors;
    for (const auto& name : shard.names) {
        const auto& tensor = model.tensors.at(name);
        tensors.emplace(name, converted(tensor, written_as(tensor, format)));
    }
    return write_safetensors(path, tensors);
}

Result<void> write_weights(const StoredModel& model, const fs::path& folder, const ModelFormat& format) {
    const auto shards = in_shards(model, format);
    json::object map;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const auto file = shard_name(i, shards.size());
        ROOTSTOCK_CHECKED(write_shard(model, shards[i], folder / file, format));
        total += shards[i].bytes;
        for (const auto& name : shards[i].names) map[name] = file;
    }
    if (shards.size() == 1) return {};
    const json::object index{{"metadata", json::object{{"total_size", total}}}, {"weight_map", std::move(map)}};
    return write_text(folder / "model.safetensors.index.json", pretty_json(index));
}

// The type most of the numbers have; config.json names one.
Dtype main_dtype(const StoredModel& model, const ModelFormat& format) {
    if (!format.keep_dtype) return format.dtype;
    std::map<Dtype, std::int64_t> counts;
    for (const auto& [name, tensor] : model.tensors)
        if (is_number(tensor.dtype)) counts[written_as(tensor, format)] += tensor.elements();
    const auto most = std::ranges::max_element(counts, {}, [](const auto& item) { return item.second; });
    return most == counts.end() ? Dtype::f32 : most->first;
}

}  // namespace

void complete_config(json::object& config, Dtype dtype) {
    const char* const name = torch_name(dtype);  // not config[a] = config[b] = ...: the first may move the second
    config["torch_dtype"] = name;
    config["dtype"] = name;
    complete_rope(config);
    complete_labels(config);
    const auto* known = config.if_contains("architectures");
    if (known && known->is_array() && !known->as_array().empty()) return;
    for (const auto& [type, name] : kArchitectures)
        if (text_of(config, "model_type") == type) config["architectures"] = json::array{name};
}

Result<void> write_model_folder(const StoredModel& model, const std::map<std::string, std::string>& side_files,
                                const fs::path& folder, const ModelFormat& format) {
    auto config = model.config;
    complete_config(config, main_dtype(model, format));
    const auto written = publish_folder(folder, [&](const fs::path& inside) -> Result<void> {
        ROOTSTOCK_CHECKED(write_weights(model, inside, format));
        for (const auto& [name, text] : side_files) ROOTSTOCK_CHECKED(write_text(inside / name, text));
        ROOTSTOCK_CHECKED(write_text(inside / "config.json", pretty_json(config)));
        ROOTSTOCK_CHECKED(read_stored_model(inside));
        return {};
    });
    return written;
}

}  // namespace rootstock
