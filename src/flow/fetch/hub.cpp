#include "flow/fetch/hub.h"

#include <cstdlib>

#include "flow/fetch/archive.h"
#include "flow/fetch/model_layout.h"
#include "flow/fetch/remote_file.h"
#include "http/http.h"
#include "model/model.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr const char* public_hub = "https://huggingface.co";
constexpr std::size_t list_bytes_max = std::size_t{16} << 20;

struct Repository {
    std::string commit;
    std::string licence;
    std::vector<RemoteFile> files;
};

std::string text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

std::optional<std::uint64_t> count_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (!value || !value->is_int64() || value->as_int64() < 0) return std::nullopt;
    return static_cast<std::uint64_t>(value->as_int64());
}

RemoteFile remote_file(const json::object& sibling) {
    RemoteFile file{text_at(sibling, "rfilename"), count_at(sibling, "size"), {}, text_at(sibling, "blobId")};
    const auto* lfs = sibling.if_contains("lfs");
    if (!lfs || !lfs->is_object()) return file;
    file.git_blob.clear();  // of the pointer, not of the content
    file.sha256 = text_at(lfs->as_object(), "sha256");
    if (auto bytes = count_at(lfs->as_object(), "size")) file.bytes = bytes;
    return file;
}

Result<Repository> read_list(const std::string& text) {
    ROOTSTOCK_TRY(value, parse_json(text, "the Hub's list of files"));
    const auto* object = value.if_object();
    const auto* siblings = object ? object->if_contains("siblings") : nullptr;
    if (!siblings || !siblings->is_array() || text_at(*object, "sha").empty())
        return fail(ErrorCode::corrupt, "the Hub's list of files lacks `sha` or `siblings`: is HF_ENDPOINT a Hub?");
    Repository repository{text_at(*object, "sha"), {}, {}};
    if (const auto* card = object->if_contains("cardData"); card && card->is_object())
        repository.licence = text_at(card->as_object(), "license");
    for (const auto& sibling : siblings->as_array()) {
        if (!sibling.is_object()) continue;
        auto file = remote_file(sibling.as_object());
        if (!is_safe_relative_path(file.path))
            return fail(ErrorCode::corrupt,
                        "the Hub lists a file `" + file.path + "` that would leave its folder; refused");
        repository.files.push_back(std::move(file));
    }
    return repository;
}

Result<Repository> list_repository(http::Web& web, const HubSettings& settings, const Source& source) {
    auto revision = source.revision.empty() ? "main" : source.revision;
    http::WebRequest request{settings.endpoint + "/api/models/" + http::percent_encoded(source.name, true) +
                                 "/revision/" + http::percent_encoded(revision, false) + "?blobs=true",
                             settings.token,
                             {}};
    std::string text;
    http::WebHooks hooks;
    hooks.on_bytes = [&](std::string_view piece) -> Result<void> {
        if (text.size() + piece.size() > list_bytes_max)
            return fail(ErrorCode::too_large, "the Hub's list of files is beyond " + format_bytes(list_bytes_max));
        text += piece;
        return {};
    };
    auto attempt = [&]() -> Result<void> {
        text.clear();
        ROOTSTOCK_TRY(answer, web.get(request, hooks));
        if (answer.status / 100 == 2) return {};
        return fail(hub_error(answer, "model `" + source.name + "` at revision `" + revision + "`", settings));
    };
    ROOTSTOCK_CHECKED(with_patience(settings, attempt, [] { return false; }));
    return read_list(text);
}

// The files of the one model at the top of the repository.
Result<std::vector<RemoteFile>> choose_files(const Repository& repository, const Source& source) {
    std::vector<std::string> paths;
    for (const auto& file : repository.files) paths.push_back(file.path);
    auto folders = model_folders(paths);
    const auto gguf = folders.empty() ? only_gguf(paths) : std::string();
    if (gguf.empty() && (folders.empty() || !folders.front().empty()))
        return fail(ErrorCode::invalid_argument,
                    source.name + " holds no model that Rootstock reads: " + why_no_model(paths), "source", "no_model");
    std::vector<RemoteFile> chosen;
    auto keep = files_to_keep(paths);
    for (const auto& file : repository.files)
        if (file.path == gguf || std::find(keep.begin(), keep.end(), file.path) != keep.end()) chosen.push_back(file);
    return chosen;
}

std::uint64_t bytes_of(const std::vector<RemoteFile>& files) {
    std::uint64_t bytes = 0;
    for (const auto& file : files) bytes += file.bytes.value_or(0);
    return bytes;
}

// A repository with one GGUF file and no folder of a model: the file is the model, and what it carries stands beside
// it.
Result<void> settle_gguf(const std::vector<RemoteFile>& files, const fs::path& folder) {
    for (const auto& file : files) {
        if (!file.path.ends_with(".gguf")) continue;
        std::error_code code;
        if (file.path != gguf_file_name) fs::rename(folder / file.path, folder / gguf_file_name, code);
        if (code) return fail(ErrorCode::io, "cannot rename " + (folder / file.path).string() + ": " + code.message());
        if (fs::exists(folder / "config.json", code)) return {};
        return unfold_gguf(folder / gguf_file_name);
    }
    return {};
}

// Bytes of another commit are of no use.
Result<void> keep_only(const fs::path& work, const std::string& commit) {
    auto known = read_file(work / "commit", 4096);
    if (known && *known == commit) return {};
    std::error_code code;
    fs::remove_all(work / "model", code);
    fs::create_directories(work / "model", code);
    if (code) return fail(ErrorCode::io, "cannot create " + (work / "model").string() + ": " + code.message());
    return write_file_atomically(work / "commit", commit);
}

Result<void> fetch_files(http::Web& web, const HubSettings& settings, const Source& source, const std::string& commit,
                         const std::vector<RemoteFile>& files, const fs::path& folder, const FetchProgress& progress) {
    const auto total = bytes_of(files);
    std::uint64_t finished = 0;
    for (const auto& file : files) {
        std::uint64_t here = 0;
        auto url = settings.endpoint + "/" + http::percent_encoded(source.name, true) + "/resolve/" + commit + "/" +
                   http::percent_encoded(file.path, true);
        auto on_size = [&](std::uint64_t bytes) {
            here = bytes;
            progress(file.path, finished + here, total);
        };
        ROOTSTOCK_CHECKED(fetch_remote_file(web, settings, url, file, folder / file.path, on_size));
        finished += here;
    }
    return {};
}

}  // namespace

Result<HubSettings> hub_settings_from_environment() {
    HubSettings settings;
    const char* endpoint = std::getenv("HF_ENDPOINT");
    const char* token = std::getenv("HF_TOKEN");
    settings.endpoint = endpoint && *endpoint ? endpoint : public_hub;
    while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
    if (token) settings.token = token;
    if (!http::is_web_address(settings.endpoint))
        return fail(ErrorCode::invalid_argument,
                    "HF_ENDPOINT is `" + settings.endpoint + "`, which is no http(s) address", "HF_ENDPOINT");
    if (settings.token.find_first_of("\r\n") != std::string::npos)
        return fail(ErrorCode::invalid_argument, "HF_TOKEN holds a line break", "HF_TOKEN");
    return settings;
}

Result<FetchedModel> fetch_from_hub(const Source& source, const HubSettings& settings, const fs::path& work,
                                    const FetchProgress& progress) {
    http::Web web(http::download_rules());
    ROOTSTOCK_TRY(repository, list_repository(web, settings, source));
    ROOTSTOCK_TRY(files, choose_files(repository, source));
    ROOTSTOCK_CHECKED(keep_only(work, repository.commit));
    ROOTSTOCK_CHECKED(check_space(work, bytes_of(files)));
    ROOTSTOCK_CHECKED(fetch_files(web, settings, source, http::percent_encoded(repository.commit, false), files,
                                  work / "model", progress));
    ROOTSTOCK_CHECKED(settle_gguf(files, work / "model"));
    auto card = read_file(work / "model" / "README.md");
    auto licence = card ? licence_of_card(*card) : "";
    return FetchedModel{work / "model", licence.empty() ? repository.licence : licence};
}

}  // namespace rootstock
