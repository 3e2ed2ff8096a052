#include "data/image/image_folder.h"

#include <algorithm>
#include <unordered_map>

#include "data/image/image.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t pictures_max = 1'000'000;

struct Picture {
    fs::path path;
    std::string inside;  // path inside the folder, with its class first
    std::string label;
};

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

Result<void> add_class(const fs::path& folder, const fs::path& root, std::vector<Picture>& pictures) {
    std::error_code code;
    for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
        if (is_hidden(at->path())) {
            at.disable_recursion_pending();
            continue;
        }
        std::error_code ignored;
        if (!at->is_regular_file(ignored)) continue;
        if (pictures.size() == pictures_max)
            return fail(ErrorCode::too_large, root.string() + " holds more than " + format_count(pictures_max) +
                                                  " pictures; take a part of them");
        pictures.push_back({fs::absolute(at->path()), at->path().lexically_relative(root).generic_string(),
                            folder.filename().string()});
    }
    if (code) return fail(ErrorCode::io, "cannot read " + folder.string() + ": " + code.message());
    return {};
}

Result<std::vector<Picture>> find_pictures(const fs::path& root) {
    std::error_code code;
    if (!fs::is_directory(root, code))
        return fail(ErrorCode::invalid_argument,
                    root.string() + " is no folder; pictures stand in one folder with a folder for each class", "data");
    std::vector<Picture> pictures;
    for (const auto& entry : fs::directory_iterator(root, code)) {
        std::error_code ignored;
        if (entry.is_directory(ignored) && !is_hidden(entry.path()))
            ROOTSTOCK_CHECKED(add_class(entry.path(), root, pictures));
    }
    if (code) return fail(ErrorCode::io, "cannot read " + root.string() + ": " + code.message());
    std::ranges::sort(pictures, {}, &Picture::inside);
    return pictures;
}

std::vector<std::string> classes_of(const std::vector<Picture>& pictures) {
    std::vector<std::string> classes;
    for (const auto& picture : pictures) classes.push_back(picture.label);
    std::ranges::sort(classes);
    const auto repeated = std::ranges::unique(classes);
    classes.erase(repeated.begin(), repeated.end());
    return classes;
}

std::unexpected<Error> no_classes(const fs::path& root, std::size_t classes) {
    return fail(ErrorCode::invalid_argument,
                root.string() + (classes == 0 ? " has no folder with pictures in it" : " has one class only") +
                    "; make a folder for each class, two at least, and put its pictures there",
                "data");
}

std::string sentence_of(const Problem& problem) { return problem.field + ": " + problem.reason; }

}  // namespace

Result<TextDataset> read_labelled_images(const fs::path& folder, const std::vector<std::string>& known_labels) {
    ROOTSTOCK_TRY(pictures, find_pictures(folder));
    TextDataset dataset;
    dataset.text_column = "picture";
    dataset.label_column = "folder";
    dataset.labels = known_labels.empty() ? classes_of(pictures) : known_labels;
    if (pictures.empty() || dataset.labels.size() < 2) return no_classes(folder, pictures.empty() ? 0 : 1);
    std::string listing;
    std::unordered_map<std::string, std::int32_t> seen;  // digest of the bytes -> label
    for (const auto& picture : pictures) {
        ++dataset.rows;
        const auto aside = [&](std::string reason) {
            dataset.problems.push_back({dataset.rows, 0, picture.inside, std::move(reason)});
        };
        ROOTSTOCK_TRY(digest, sha256_file(picture.path));
        listing += digest + " " + picture.inside + "\n";
        const auto label = std::ranges::find(dataset.labels, picture.label);
        if (label == dataset.labels.end()) {
            aside("the class '" + picture.label + "' is not one of those the model knows");
            continue;
        }
        if (auto image = read_image_file(picture.path); !image) {
            aside(image.error().message);
            continue;
        }
        const auto id = static_cast<std::int32_t>(label - dataset.labels.begin());
        const auto [place, fresh] = seen.try_emplace(digest, id);
        if (!fresh && place->second != id)
            dataset.warnings.push_back(picture.inside + " is the same picture as one under another class");
        dataset.duplicates += !fresh && place->second == id;
        dataset.examples.push_back({picture.path.string(), id, dataset.rows});
    }
    if (dataset.examples.empty())
        return fail(
            ErrorCode::invalid_argument,
            folder.string() + " has no picture that can be read; the first: " + sentence_of(dataset.problems.front()),
            "data");
    dataset.digest = sha256_hex(listing);
    return dataset;
}

}  // namespace rootstock
