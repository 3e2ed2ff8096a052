#pragma once
// What a model in the Hugging Face layout consists of, told from file names alone: by a list of an archive's entries,
// of a repository's files or of a folder.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

// A GGUF file holds a whole model. It is stored under this name, with the configuration and tokenizer it carries beside
// it.
inline constexpr const char* gguf_file_name = "model.gguf";

// The one GGUF file among `files`; "" when there is none or a choice.
std::string only_gguf(const std::vector<std::string>& files);

// Of these files (paths with '/', relative to the model's folder), the ones Rootstock keeps: configuration, tokenizer,
// safetensors weights, pooling settings, card and licence. Other formats of the same weights stay away.
std::vector<std::string> files_to_keep(const std::vector<std::string>& files);

// The folders among `files` that hold a model: config.json with model.safetensors, its index or model.gguf. "" is the
// root.
std::vector<std::string> model_folders(const std::vector<std::string>& files);

// Why `files` holds none, as the end of a sentence: names the format found when it is one we do not read.
std::string why_no_model(const std::vector<std::string>& files);

// The licence a card names ("license: apache-2.0" in the front matter of README.md), or "".
std::string licence_of_card(std::string_view readme);

}  // namespace rootstock
