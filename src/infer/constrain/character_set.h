#pragma once
// Sets of Unicode characters (code points without surrogates), and how their spellings look digit by digit: the bytes
// of UTF-8, the hexadecimal digits of JSON's \u.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace rootstock::constrain {

constexpr std::int32_t code_point_max = 0x10FFFF;

struct CharacterRange {
    std::int32_t low = 0, high = 0;  // both inside
    bool operator==(const CharacterRange&) const = default;
};

class CharacterSet {
public:
    CharacterSet() = default;
    CharacterSet(std::initializer_list<CharacterRange> ranges) {
        for (const auto& range : ranges) add(range.low, range.high);
    }
    static CharacterSet all() { return {{0, code_point_max}}; }
    static CharacterSet of(std::span<const std::int32_t> sorted_characters);

    void add(std::int32_t low, std::int32_t high);  // surrogates among them are left out
    void add(const CharacterSet& other);
    CharacterSet without(const CharacterSet& other) const;
    CharacterSet both(const CharacterSet& other) const { return without(all().without(other)); }
    bool contains(std::int32_t character) const;
    bool empty() const { return ranges_.empty(); }
    std::span<const CharacterRange> ranges() const { return ranges_; }  // in order, never touching
    bool operator==(const CharacterSet&) const = default;

private:
    void add_valid(std::int32_t low, std::int32_t high);
    std::vector<CharacterRange> ranges_;
};

struct ByteRange {
    std::uint8_t low = 0, high = 0;
};

// Calls `found` with sequences of byte ranges that together spell exactly the set in UTF-8.
using FoundSequence = std::function<void(std::span<const ByteRange>)>;
void each_utf8_sequence(const CharacterSet& set, const FoundSequence& found);

// Numbers low..high as digits of `bits` bits, `digits` of them: sequences of digit ranges that together spell exactly
// those.
void each_digit_sequence(std::int32_t low, std::int32_t high, int bits, int digits, const FoundSequence& found);

}  // namespace rootstock::constrain
