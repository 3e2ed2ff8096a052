#include <algorithm>

#include "model/files/model_folder.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

// Weights, configuration and tokenizer, all at the top of the folder; not cards, logos, training data notes or other
// formats of the same weights, so that one model fetched from two places has one digest.
constexpr std::string_view kNames[] = {"config.json",
                                       "tokenizer.json",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "vocab.txt",
                                       "merges.txt",
                                       "spiece.model",
                                       "tokenizer.model",
                                       "model.safetensors.index.json",
                                       "columns.json"};

bool belongs_to_model(const fs::path& file) {
    const auto name = file.filename().string();
    return name.ends_with(".safetensors") || name.ends_with(".gguf") ||
           std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace

Result<std::vector<fs::path>> model_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code code;
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        std::error_code ignored;
        if (at->is_regular_file(ignored) && belongs_to_model(at->path())) files.push_back(at->path().filename());
    }
    if (code) return fail(ErrorCode::not_found, "cannot list " + folder.string() + ": " + code.message());
    std::ranges::sort(files, {}, [](const fs::path& path) { return path.generic_string(); });
    return files;
}

Result<std::string> model_digest(const fs::path& folder) {
    ROOTSTOCK_TRY(files, model_files(folder));
    if (files.empty()) return fail(ErrorCode::not_found, folder.string() + " holds no file of a model");
    Sha256 digest;
    for (const auto& file : files) {
        ROOTSTOCK_TRY(hash, sha256_file(folder / file));
        digest.add(file.generic_string());
        digest.add(std::string_view("\0", 1));
        digest.add(hash);
        digest.add("\n");
    }
    return digest.hex();
}

}  // namespace rootstock
