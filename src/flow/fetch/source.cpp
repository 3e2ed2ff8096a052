#include "flow/fetch/source.h"

#include <algorithm>
#include <filesystem>

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t name_length_max = 63;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

// Begins and ends with a letter or digit; between them also . _ - and whatever stands in `more`.
bool is_plain_name(std::string_view text, std::string_view more = {}) {
    if (text.empty() || text.size() > 255 || !is_word(text.front()) || !is_word(text.back())) return false;
    if (text.find("..") != std::string_view::npos) return false;
    return std::ranges::all_of(text, [&](char c) {
        return is_word(c) || c == '.' || c == '_' || c == '-' || more.find(c) != std::string_view::npos;
    });
}

std::unexpected<Error> refuse(std::string_view text, const std::string& why) {
    return fail(ErrorCode::invalid_argument,
                "`" + std::string(text) + "` " + why +
                    "; a source is pypi:NAME, pypi:NAME==VERSION, hf:OWNER/NAME, hf:OWNER/NAME@REVISION or file:FOLDER",
                "source");
}

Result<Source> parse_package(std::string_view text, std::string_view rest) {
    auto equals = rest.find("==");
    Source source{Source::Kind::package, std::string(rest.substr(0, equals)), {}, std::string(text)};
    if (!is_plain_name(source.name)) return refuse(text, "names no package");
    if (equals == std::string_view::npos) return source;
    source.revision = rest.substr(equals + 2);
    if (!is_plain_name(source.revision, "!+")) return refuse(text, "names no version after ==");
    return source;
}

Result<Source> parse_hub(std::string_view text, std::string_view rest) {
    auto at = rest.find('@');
    Source source{Source::Kind::hub, std::string(rest.substr(0, at)), {}, std::string(text)};
    auto slash = source.name.find('/');
    if (slash == std::string::npos || !is_plain_name(source.name.substr(0, slash)) ||
        !is_plain_name(source.name.substr(slash + 1)))
        return refuse(text, "names no repository OWNER/NAME");
    if (at == std::string_view::npos) return source;
    source.revision = rest.substr(at + 1);
    if (!is_plain_name(source.revision, "/")) return refuse(text, "names no revision after @");
    return source;
}

Result<Source> parse_folder(std::string_view text, std::string_view rest) {
    if (rest.empty()) return refuse(text, "names no folder");
    std::error_code code;
    auto path = fs::weakly_canonical(fs::path(rest), code);
    if (code) path = fs::absolute(fs::path(rest), code);
    if (!path.has_filename()) path = path.parent_path();
    return Source{Source::Kind::folder, path.string(), {}, "file:" + path.string()};
}

}  // namespace

Result<Source> parse_source(std::string_view text) {
    auto colon = text.find(':');
    auto scheme = text.substr(0, colon);
    auto rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    if (scheme == "pypi" && colon != std::string_view::npos) return parse_package(text, rest);
    if (scheme == "hf" && colon != std::string_view::npos) return parse_hub(text, rest);
    if (scheme == "file" && colon != std::string_view::npos) return parse_folder(text, rest);
    std::error_code code;
    if (fs::is_directory(fs::path(text), code)) return refuse(text, "is a folder: write file:" + std::string(text));
    return refuse(text, "does not say where the model is");
}

std::string default_name(const Source& source) {
    auto last = source.name.substr(source.name.find_last_of('/') + 1);
    std::string name;
    for (char c : last.substr(0, name_length_max)) name += is_word(c) || c == '.' || c == '_' || c == '-' ? c : '-';
    auto start = name.find_first_not_of("._-");
    return start == std::string::npos ? "model" : name.substr(start);
}

}  // namespace rootstock
