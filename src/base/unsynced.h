#pragma once
// Files that need not outlive a crash.

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace rootstock {

// As write_file_atomically, without waiting for the disk: for what proves itself when read and can be made anew, since
// after a crash it may be damaged.
Result<void> write_file_unsynced(const std::filesystem::path& path, std::string_view bytes);

}  // namespace rootstock
