#include "infer/constrain/character_set.h"

#include <algorithm>

#include "data/data.h"

namespace rootstock::constrain {

CharacterSet CharacterSet::of(std::span<const std::int32_t> sorted_characters) {
    CharacterSet set;
    for (std::size_t i = 0; i < sorted_characters.size();) {
        auto end = i + 1;
        while (end < sorted_characters.size() && sorted_characters[end] == sorted_characters[end - 1] + 1) ++end;
        set.add(sorted_characters[i], sorted_characters[end - 1]);
        i = end;
    }
    return set;
}

void CharacterSet::add(std::int32_t low, std::int32_t high) {
    constexpr std::int32_t surrogates = 0xD800, behind = 0xE000;
    add_valid(low, std::min(high, surrogates - 1));
    add_valid(std::max(low, behind), std::min(high, code_point_max));
}

void CharacterSet::add_valid(std::int32_t low, std::int32_t high) {
    if (low > high) return;
    // The ranges that touch [low, high] become one with it.
    const auto begin = std::ranges::partition_point(ranges_, [&](const auto& range) { return range.high < low - 1; });
    const auto end =
        std::partition_point(begin, ranges_.end(), [&](const auto& range) { return range.low <= high + 1; });
    if (begin != end) {
        low = std::min(low, begin->low);
        high = std::max(high, std::prev(end)->high);
    }
    ranges_.insert(ranges_.erase(begin, end), {low, high});
}

void CharacterSet::add(const CharacterSet& other) {
    for (const auto& range : other.ranges_) add_valid(range.low, range.high);
}

CharacterSet CharacterSet::without(const CharacterSet& other) const {
    CharacterSet left;
    auto taken = other.ranges_.begin();
    for (auto [low, high] : ranges_) {
        while (taken != other.ranges_.end() && taken->high < low) ++taken;
        for (auto next = taken; next != other.ranges_.end() && next->low <= high; ++next) {
            if (low < next->low) left.ranges_.push_back({low, next->low - 1});
            low = next->high + 1;
        }
        if (low <= high) left.ranges_.push_back({low, high});
    }
    return left;
}

bool CharacterSet::contains(std::int32_t character) const {
    const auto range = std::ranges::lower_bound(ranges_, character, {}, &CharacterRange::high);
    return range != ranges_.end() && range->low <= character;
}

namespace {

// Cuts low..high until in each part the digits vary independently, and gives each part's first and last number.
template <typename Part>
void each_part(std::int32_t low, std::int32_t high, int bits, int digits, const Part& part) {
    for (int i = 1; i < digits; ++i) {
        const std::int32_t mask = (std::int32_t{1} << (bits * i)) - 1;
        if ((low & ~mask) == (high & ~mask)) continue;
        std::int32_t cut = 0;  // the last number of the first half
        if ((low & mask) != 0)
            cut = low | mask;
        else if ((high & mask) != mask)
            cut = (high & ~mask) - 1;
        else
            continue;
        each_part(low, cut, bits, digits, part);
        each_part(cut + 1, high, bits, digits, part);
        return;
    }
    part(low, high);
}

std::uint8_t byte_at(const std::string& text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

}  // namespace

void each_digit_sequence(std::int32_t low, std::int32_t high, int bits, int digits, const FoundSequence& found) {
    each_part(low, high, bits, digits, [&](std::int32_t first, std::int32_t last) {
        std::vector<ByteRange> ranges;
        const std::int32_t mask = (1 << bits) - 1;
        for (int shift = bits * (digits - 1); shift >= 0; shift -= bits)
            ranges.push_back({static_cast<std::uint8_t>((first >> shift) & mask),
                              static_cast<std::uint8_t>((last >> shift) & mask)});
        found(ranges);
    });
}

void each_utf8_sequence(const CharacterSet& set, const FoundSequence& found) {
    constexpr CharacterRange by_length[] = {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, code_point_max}};
    for (const auto& range : set.ranges())
        for (int bytes = 1; bytes <= 4; ++bytes) {
            const auto low = std::max(range.low, by_length[bytes - 1].low);
            const auto high = std::min(range.high, by_length[bytes - 1].high);
            if (low > high) continue;
            each_part(low, high, 6, bytes, [&](std::int32_t first, std::int32_t last) {
                std::string begin, end;
                append_utf8(begin, first);
                append_utf8(end, last);
                std::vector<ByteRange> ranges;
                for (std::size_t i = 0; i < begin.size(); ++i) ranges.push_back({byte_at(begin, i), byte_at(end, i)});
                found(ranges);
            });
        }
}

}  // namespace rootstock::constrain
