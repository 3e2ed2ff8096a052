#pragma once
// Files of weights on their way out: written piece by piece to a temporary name, synced, read back and compared,
// renamed.

#include <filesystem>
#include <span>
#include <string_view>

#include "base/base.h"

namespace rootstock {

// The file holds exactly the pieces, one after the other, or nothing has changed under `path`. io: the disk refuses;
// corrupt: what was read back is not what was written.
Result<void> write_pieces(const std::filesystem::path& path, std::span<const std::string_view> pieces);

}  // namespace rootstock
