#include "flow/fetch/fetch.h"

namespace rootstock {

Result<void> check_space(const std::filesystem::path& folder, std::uint64_t bytes) {
    std::error_code code;
    auto space = std::filesystem::space(folder, code);
    if (code || space.available >= bytes) return {};
    return fail(ErrorCode::io, "the model needs " + format_bytes(bytes) + ", but " + folder.string() + " has only " +
                                   format_bytes(space.available) +
                                   " free; free some, or use another home folder with --home");
}

}  // namespace rootstock
