#pragma once
// A family's names as tables, and the one way to read them.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rootstock {

struct NameRow {
    std::string_view ours, theirs;
};

struct FamilyNames {
    std::string_view prefix;             // of the body inside a model with a head: "bert."
    std::span<const NameRow> body;       // modules outside the layers: "embed.norm" -> "embeddings.LayerNorm"
    std::string_view layers;             // "encoder.layer."
    std::span<const NameRow> layer;      // "query" -> "attention.self.query"
    std::span<const NameRow> tensors{};  // whole tensors of the body, with ".weight" on our side only
    std::span<const NameRow> head{};     // whole tensors outside the body; a name may have several rows, usual first
    std::string_view decoder_layers{};
    std::span<const NameRow> decoder_layer{};
    std::string_view categories{};  // before the number of a column with categories: "cat_embeddings.embeddings."
};

// Every name under which a file may carry the canonical tensor, the usual one first; empty: this family has no such
// tensor.
std::vector<std::string> file_names(const FamilyNames& names, std::string_view canonical);

// The path of a module inside a model with a head: "layers.0.query" -> "bert.encoder.layer.0.attention.self.query".
std::string file_path(const FamilyNames& names, std::string_view module);

}  // namespace rootstock
