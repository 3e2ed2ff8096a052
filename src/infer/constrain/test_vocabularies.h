#pragma once
// The vocabularies that this folder's tests and bench write with. Used by tests only.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "infer/constrain/output_vocabulary.h"

namespace rootstock::test {

inline std::filesystem::path shared_tokenizers() {
    if (const char* place = std::getenv("ROOTSTOCK_SHARED_DATA")) return std::filesystem::path(place) / "tokenizers";
    return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / ".." / "shared" / "data" / "tokenizers";
}

inline Result<Tokenizer> shared_tokenizer(const std::string& name) {
    const auto folder = shared_tokenizers() / name;
    return Tokenizer::load_file(name == "sentencepiece-unigram-1000" ? folder / "test_model.model" : folder);
}

}  // namespace rootstock::test
