#include "flow/fetch/model_layout.h"

#include <algorithm>
#include <array>
#include <set>

namespace rootstock {
namespace {

constexpr std::array names_to_keep = {
    "config.json",
    "model.safetensors.index.json",
    "modules.json",
    "tokenizer.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "vocab.txt",
    "tokenizer_config.json",
    "columns.json",
    "special_tokens_map.json",
    "vocab.json",
    "added_tokens.json",
    "generation_config.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "preprocessor_config.json",
    "chat_template.jinja",
    "README.md",
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    "NOTICE",
    "NOTICE.txt",
};

// model.safetensors, model.gguf or model-00001-of-00003.safetensors; not a second copy under another name.
bool is_weights(std::string_view name) {
    return name == "model.safetensors" || name == gguf_file_name ||
           (name.starts_with("model-") && name.ends_with(".safetensors"));
}

// The numbered folders of sentence-transformers: "1_Pooling/config.json", "2_Dense/model.safetensors".
bool is_module_file(std::string_view path) {
    auto slash = path.find('/');
    if (slash == std::string_view::npos || path.find('/', slash + 1) != std::string_view::npos) return false;
    auto digits = path.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || path[digits] != '_') return false;
    auto name = path.substr(slash + 1);
    return name == "config.json" || name == "model.safetensors";
}

bool has_any_ending(const std::vector<std::string>& files, std::initializer_list<std::string_view> endings) {
    return std::ranges::any_of(files, [&](const std::string& file) {
        return std::ranges::any_of(endings, [&](std::string_view ending) { return file.ends_with(ending); });
    });
}

}  // namespace

std::vector<std::string> files_to_keep(const std::vector<std::string>& files) {
    std::vector<std::string> kept;
    for (const auto& file : files)
        if (std::ranges::find(names_to_keep, file) != names_to_keep.end() || is_weights(file) || is_module_file(file))
            kept.push_back(file);
    return kept;
}

std::vector<std::string> model_folders(const std::vector<std::string>& files) {
    const std::set<std::string> all(files.begin(), files.end());
    std::vector<std::string> folders;
    for (const auto& file : all) {
        if (file != "config.json" && !file.ends_with("/config.json")) continue;
        auto folder = file.substr(0, file.size() - std::string_view("config.json").size());
        if (!all.contains(folder + "model.safetensors") && !all.contains(folder + "model.safetensors.index.json") &&
            !all.contains(folder + gguf_file_name))
            continue;
        folders.push_back(folder.empty() ? folder : folder.substr(0, folder.size() - 1));
    }
    std::vector<std::string> outermost;  // 2_Dense is part of the model around it
    for (const auto& folder : folders)
        if (std::ranges::none_of(folders, [&](const std::string& other) {
                return folder != other && (other.empty() || folder.starts_with(other + "/"));
            }))
            outermost.push_back(folder);
    return outermost;
}

std::string only_gguf(const std::vector<std::string>& files) {
    std::string found;
    for (const auto& file : files) {
        if (!file.ends_with(".gguf")) continue;
        if (!found.empty()) return "";
        found = file;
    }
    return found;
}

std::string why_no_model(const std::vector<std::string>& files) {
    if (files.empty()) return "there are no files in it";
    bool config = has_any_ending(files, {"config.json"});
    if (has_any_ending(files, {".safetensors"}))
        return config ? "config.json and model.safetensors do not stand in one folder"
                      : "there is no config.json beside the safetensors file";
    if (has_any_ending(files, {"pytorch_model.bin", ".pt", ".pth", ".ckpt"}))
        return "its weights are a PyTorch pickle, which Rootstock does not open because it can run code; "
               "save the model as model.safetensors";
    if (has_any_ending(files, {".onnx"}))
        return "its weights are in ONNX format only; Rootstock reads model.safetensors with config.json";
    if (has_any_ending(files, {".gguf"}))
        return "there is more than one GGUF file; unpack it yourself and pull one with file:FILE.gguf";
    if (has_any_ending(files, {".h5", ".msgpack", ".pb", ".tflite", ".ot"}))
        return "its weights are in another framework's format; Rootstock reads model.safetensors with config.json";
    return "Rootstock looks for a folder with config.json and model.safetensors";
}

std::string licence_of_card(std::string_view readme) {
    if (!readme.starts_with("---")) return "";
    auto end = readme.find("\n---", 3);
    auto front = readme.substr(0, end);
    auto at = front.find("\nlicense:");
    if (at == std::string_view::npos) return "";
    auto value = front.substr(at + std::string_view("\nlicense:").size());
    value = value.substr(0, value.find('\n'));
    auto first = value.find_first_not_of(" \t\"'"), last = value.find_last_not_of(" \t\r\"'");
    return first == std::string_view::npos ? "" : std::string(value.substr(first, last - first + 1));
}

}  // namespace rootstock
