#pragma once
// Where the tests of this folder find models and golden values.

#include <cstdlib>
#include <filesystem>

namespace rootstock {

inline std::filesystem::path golden_folder() { return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden"; }

// all-MiniLM-L6-v2 as a Hugging Face folder; empty when it is not here.
inline std::filesystem::path real_model_folder() {
    const char* given = std::getenv("ROOTSTOCK_TEST_MODEL");
    const auto folder =
        given ? std::filesystem::path(given) : std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "build/test-model";
    std::error_code ignored;
    return std::filesystem::exists(folder / "model.safetensors", ignored) ? folder : std::filesystem::path();
}

}  // namespace rootstock
