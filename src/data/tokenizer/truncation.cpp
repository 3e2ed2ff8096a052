#include "data/tokenizer/truncation.h"

#include <algorithm>

namespace rootstock {
namespace {

// The reference's LongestFirst: the longer text gives first; when both must give, each keeps half and the odd token
// goes to the longer one.
Lengths longest_first(Lengths full, std::size_t room) {
    bool swapped = full.first > full.second;
    auto small = std::min(full.first, full.second);
    auto large = small > room ? small : std::max(small, room - small);
    if (small + large > room) {
        small = room / 2;
        large = small + room % 2;
    }
    return swapped ? Lengths{large, small} : Lengths{small, large};
}

}  // namespace

Result<Lengths> truncated(Lengths full, bool pair, std::size_t room, Truncation strategy) {
    if (room == SIZE_MAX || full.first + full.second <= room) return full;
    if (strategy == Truncation::longest_first) return pair ? longest_first(full, room) : Lengths{room, 0};
    auto excess = full.first + full.second - room;
    auto& target = strategy == Truncation::only_first ? full.first : full.second;
    if (target <= excess && room > 0)
        return fail(ErrorCode::invalid_argument,
                    std::string("the ") + (strategy == Truncation::only_first ? "first" : "second") +
                        " text alone is too short to bring the pair to max_tokens; shorten the other one",
                    "max_tokens");
    target -= std::min(target, excess);
    return full;
}

Result<std::vector<TokenRange>> token_parts(std::size_t full, std::size_t kept, const EncodeOptions& options) {
    if (kept >= full) return std::vector<TokenRange>{{0, full}};
    if (!options.overflow || kept == 0) {
        auto begin = options.keep_end ? full - kept : 0;
        std::vector<TokenRange> parts{{begin, begin + kept}};
        if (options.overflow) parts.push_back({0, full});
        return parts;
    }
    if (options.stride < 0 || static_cast<std::size_t>(options.stride) >= kept)
        return fail(ErrorCode::invalid_argument,
                    "stride " + std::to_string(options.stride) + " must be below the " + std::to_string(kept) +
                        " tokens of a part",
                    "stride");
    auto step = kept - static_cast<std::size_t>(options.stride);
    std::vector<TokenRange> parts;
    for (std::size_t done = 0;; done += step) {
        auto length = std::min(kept, full - done);
        auto begin = options.keep_end ? full - done - length : done;
        parts.push_back({begin, begin + length});
        if (done + length == full) return parts;
    }
}

}  // namespace rootstock
