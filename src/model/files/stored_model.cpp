#include "model/files/stored_model.h"

#include <algorithm>

#include "model/files/gguf_model.h"
#include "model/files/mapped_file.h"
#include "model/files/pretty_json.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kJsonMax = std::size_t{16} << 20;
constexpr std::size_t kSideFileMax = std::size_t{256} << 20;
constexpr const char* kSideFiles[] = {"tokenizer.json",
                                      "tokenizer_config.json",
                                      "special_tokens_map.json",
                                      "added_tokens.json",
                                      "vocab.json",
                                      "vocab.txt",
                                      "merges.txt",
                                      "spiece.model",
                                      "sentencepiece.bpe.model",
                                      "tokenizer.model",
                                      "chat_template.jinja",
                                      "generation_config.json",
                                      "preprocessor_config.json",
                                      "columns.json"};

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

bool is_gguf(const fs::path& path) {
    std::error_code ignored;
    return path.extension() == ".gguf" && fs::is_regular_file(path, ignored);
}

// The one GGUF file of a folder without safetensors; empty when there is none, or the choice is not ours.
fs::path gguf_in(const fs::path& folder) {
    fs::path found;
    std::error_code code;
    if (is_there(folder / kSingle) || is_there(folder / kIndex)) return {};
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        if (!is_gguf(at->path())) continue;
        if (!found.empty()) return {};
        found = at->path();
    }
    return found;
}

// The GGUF file that `path` is or holds; empty: it is a folder of safetensors.
fs::path gguf_of(const fs::path& path) { return is_gguf(path) ? path : gguf_in(path); }

Result<json::value> read_json(const fs::path& path) {
    ROOTSTOCK_TRY(text, read_file(path, kJsonMax));
    return parse_json(text, path.string());
}

// Shard names come from a file: each must be a plain name beside it.
Result<std::vector<std::string>> shard_names(const fs::path& index) {
    ROOTSTOCK_TRY(value, read_json(index));
    const auto* object = value.if_object();
    const auto* map = object ? object->if_contains("weight_map") : nullptr;
    if (!map || !map->is_object())
        return fail(ErrorCode::corrupt, index.string() + " has no weight_map; fetch it again");
    std::vector<std::string> names;
    for (const auto& field : map->as_object()) {
        const auto* text = field.value().if_string();
        if (!text || text->empty() || fs::path(std::string(*text)).filename() != fs::path(std::string(*text)))
            return fail(ErrorCode::corrupt,
                        index.string() + " names a shard that is not a file beside it; fetch it again");
        names.emplace_back(*text);
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Result<std::vector<std::string>> weight_files(const fs::path& folder) {
    if (is_there(folder / kSingle)) return std::vector<std::string>{kSingle};
    if (is_there(folder / kIndex)) return shard_names(folder / kIndex);
    std::string hint =
        is_there(folder / "pytorch_model.bin") ? "; convert its pytorch_model.bin to safetensors first" : "";
    return fail(ErrorCode::not_found, folder.string() + " has no " + kSingle + hint);
}

Result<void> add_safetensors(const fs::path& folder, StoredModel& model) {
    ROOTSTOCK_TRY(names, weight_files(folder));
    for (const auto& name : names) {
        ROOTSTOCK_TRY(read, read_safetensors(folder / name));
        for (auto& [tensor_name, tensor] : read.tensors)
            if (!model.tensors.emplace(tensor_name, std::move(tensor)).second)
                return fail(ErrorCode::corrupt, (folder / name).string() + " repeats tensor \"" + tensor_name +
                                                    "\" of another shard; fetch the model again");
        model.files.push_back(read.file);
    }
    return {};
}

Result<void> add_gguf(const fs::path& path, StoredModel& model) {
    ROOTSTOCK_TRY(gguf, read_gguf(path));
    ROOTSTOCK_TRY(tensors, gguf_tensors(gguf, path.string()));
    model.tensors = std::move(tensors);
    model.files.push_back(gguf.file);
    return {};
}

}  // namespace

Result<json::object> read_stored_config(const fs::path& path) {
    const auto file = path / kConfig;
    if (!is_gguf(path) && is_there(file)) {
        ROOTSTOCK_TRY(value, read_json(file));
        if (!value.is_object()) return fail(ErrorCode::invalid_argument, file.string() + " must hold a JSON object");
        return std::move(value.as_object());
    }
    const auto gguf_file = gguf_of(path);
    if (gguf_file.empty())
        return fail(ErrorCode::not_found,
                    path.string() + " has no config.json; give the folder of a Hugging Face model, or a .gguf file");
    ROOTSTOCK_TRY(gguf, read_gguf(gguf_file));
    return gguf_config(gguf, gguf_file.string());
}

Result<StoredModel> read_stored_model(const fs::path& path) {
    StoredModel model;
    ROOTSTOCK_TRY(config, read_stored_config(path));
    model.config = std::move(config);
    const auto gguf = gguf_of(path);
    ROOTSTOCK_CHECKED(gguf.empty() ? add_safetensors(path, model) : add_gguf(gguf, model));
    return model;
}

Result<std::map<std::string, std::string>> read_side_files(const fs::path& path) {
    std::map<std::string, std::string> files;
    for (const char* name : kSideFiles) {
        if (is_gguf(path) || !is_there(path / name)) continue;
        ROOTSTOCK_TRY(text, read_file(path / name, kSideFileMax));
        files.emplace(name, std::move(text));
    }
    const auto gguf_file = gguf_of(path);
    if (!files.empty() || gguf_file.empty()) return files;
    ROOTSTOCK_TRY(gguf, read_gguf(gguf_file));
    ROOTSTOCK_TRY(tokenizer, gguf_tokenizer_json(gguf, gguf_file.string()));
    files.emplace("tokenizer.json", std::move(tokenizer));
    files.emplace("tokenizer_config.json", pretty_json(gguf_tokenizer_config(gguf)));
    return files;
}

Result<void> unfold_gguf(const fs::path& gguf) {
    ROOTSTOCK_TRY(model, read_gguf_model(gguf));
    const auto folder = gguf.parent_path();
    ROOTSTOCK_CHECKED(write_file_atomically(folder / kConfig, pretty_json(model.config)));
    ROOTSTOCK_CHECKED(write_file_atomically(folder / "tokenizer.json", model.tokenizer_json));
    return write_file_atomically(folder / "tokenizer_config.json", pretty_json(model.tokenizer_config));
}

}  // namespace rootstock
