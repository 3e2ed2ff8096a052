#include "model/families/names.h"

#include "base/base.h"

namespace rootstock {

namespace {

std::string_view look_up(std::span<const NameRow> rows, std::string_view ours) {
    for (const auto& row : rows)
        if (row.ours == ours) return row.theirs;
    return {};
}

// "3.query" -> "encoder.layer." + "3" + "." + "attention.self.query"
std::string inside_layer(std::string_view stack, std::span<const NameRow> rows, std::string_view rest) {
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) return {};
    const auto theirs = look_up(rows, rest.substr(dot + 1));
    if (theirs.empty()) return {};
    return std::string(stack) + std::string(rest.substr(0, dot)) + "." + std::string(theirs);
}

// A module's path inside the body; empty where the family has none of this name.
std::string bare_path(const FamilyNames& names, std::string_view module) {
    constexpr std::string_view kLayers = "layers.", kDecoderLayers = "decoder.layers.",
                               kCategories = "embed.categories.";
    if (module.starts_with(kLayers)) return inside_layer(names.layers, names.layer, module.substr(kLayers.size()));
    if (module.starts_with(kDecoderLayers))
        return inside_layer(names.decoder_layers, names.decoder_layer, module.substr(kDecoderLayers.size()));
    if (module.starts_with(kCategories) && !names.categories.empty())
        return std::string(names.categories) + std::string(module.substr(kCategories.size()));
    return std::string(look_up(names.body, module));
}

void add_with_prefix(const FamilyNames& names, const std::string& bare, std::vector<std::string>& all) {
    all.push_back(bare);
    if (!names.prefix.empty()) all.push_back(std::string(names.prefix) + bare);
}

}  // namespace

std::vector<std::string> file_names(const FamilyNames& names, std::string_view canonical) {
    std::vector<std::string> all;
    for (const auto& row : names.head)
        if (row.ours == canonical) all.emplace_back(row.theirs);
    for (const auto& row : names.tensors)
        if (row.ours == canonical) add_with_prefix(names, std::string(row.theirs), all);
    const auto dot = canonical.rfind('.');
    const auto path = bare_path(names, canonical.substr(0, dot));
    const auto part = canonical.substr(dot + 1);
    if (path.empty()) return all;
    add_with_prefix(names, path + "." + std::string(part), all);
    if (path.ends_with("LayerNorm"))  // files of the first releases
        add_with_prefix(names, path + (part == "weight" ? ".gamma" : ".beta"), all);
    return all;
}

std::string file_path(const FamilyNames& names, std::string_view module) {
    if (const auto bare = bare_path(names, module); !bare.empty()) return std::string(names.prefix) + bare;
    const auto with_weight = file_names(names, std::string(module) + ".weight");
    ROOTSTOCK_CHECK(!with_weight.empty(), "every canonical name has its place in the family's table");
    return with_weight.front().substr(0, with_weight.front().size() - std::string_view(".weight").size());
}

}  // namespace rootstock
