#pragma once
// A model on its way in: what every kind of source leaves behind, and how it speaks of its progress.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/base.h"

namespace rootstock {

// A folder with exactly the files to keep, on the file system of the home folder.
struct FetchedModel {
    std::filesystem::path folder;
    std::string licence;  // as the source states it; may be empty
};

// "model.safetensors", bytes so far, bytes in all (0: unknown).
using FetchProgress = std::function<void(const std::string& what, std::uint64_t done, std::uint64_t total)>;

// io, with both sizes and what to do, when `folder`'s disk has less than `bytes` free.
Result<void> check_space(const std::filesystem::path& folder, std::uint64_t bytes);

}  // namespace rootstock
