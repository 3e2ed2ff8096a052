// BMP, the Windows bitmap, without compression:
//   "BM" | u32 file size | u32 reserved | u32 offset of the pixels | information header | masks | palette | rows
// Information header: u32 its size; 12 bytes hold u16 width, height, planes, bits; 40 and more hold i32 width, height,
// u16 planes, bits, u32 compression (0 none, 3 bit fields), u32 data size, 2 x i32 resolution, u32 colours, u32
// important. Rows are padded to four bytes and stand from bottom to top unless the height is negative.

#include <algorithm>
#include <array>
#include <bit>

#include "data/image/decoders.h"

namespace rootstock {
namespace {

struct BmpLayout {
    std::size_t header = 0, pixels = 0, row_bytes = 0;
    std::uint32_t bits = 0, compression = 0, colours = 0;
    bool top_down = false;
    std::array<std::uint32_t, 3> masks{};  // red, green, blue; all zero: blue first, a byte each
};

struct Colour {
    std::uint8_t red = 0, green = 0, blue = 0;
};

std::string read_masks(ImageBytes bytes, BmpLayout& layout) {
    if (layout.compression == 0) {
        if (layout.bits == 16) layout.masks = {0x7C00, 0x3E0, 0x1F};
        return {};
    }
    if (layout.bits < 16) return "it gives bit fields to a palette";
    if (bytes.size() < 66) return std::string(ends_early);
    for (std::size_t i = 0; i < 3; ++i) layout.masks[i] = little_endian(bytes, 54 + 4 * i, 4);
    return {};
}

// The place of the pixels, with everything checked that later loops rely on.
std::string read_layout(ImageBytes bytes, const Image& image, BmpLayout& layout) {
    layout.header = little_endian(bytes, 14, 4);
    const bool old = layout.header == 12;
    if (bytes.size() < 14 + layout.header) return std::string(ends_early);
    layout.bits = little_endian(bytes, old ? 24 : 28, 2);
    if (!old) {
        layout.top_down = static_cast<std::int32_t>(little_endian(bytes, 22, 4)) < 0;
        layout.compression = little_endian(bytes, 30, 4);
        layout.colours = little_endian(bytes, 46, 4);
    }
    if (layout.compression != 0 && layout.compression != 3) return "not read: compression";
    constexpr std::array<std::uint32_t, 6> depths = {1, 4, 8, 16, 24, 32};
    if (std::ranges::find(depths, layout.bits) == depths.end())
        return fmt::format("it says {} bits a pixel", layout.bits);
    if (auto fault = read_masks(bytes, layout); !fault.empty()) return fault;
    if (layout.colours == 0 && layout.bits <= 8) layout.colours = 1U << layout.bits;
    layout.pixels = little_endian(bytes, 10, 4);
    layout.row_bytes = (static_cast<std::size_t>(image.width) * layout.bits + 31) / 32 * 4;
    if (layout.pixels < 14 + layout.header) return "its pixels overlap its header";
    auto room = bytes.size() - std::min(layout.pixels, bytes.size());
    if (room / layout.row_bytes < static_cast<std::size_t>(image.height)) return std::string(ends_early);
    return {};
}

std::string read_palette(ImageBytes bytes, const BmpLayout& layout, std::vector<Colour>& palette) {
    const std::size_t start = 14 + layout.header, size = layout.header == 12 ? 3 : 4;
    if (layout.colours > 256) return fmt::format("its palette has {} colours", layout.colours);
    if (start + size * layout.colours > bytes.size()) return std::string(ends_early);
    for (std::size_t i = 0; i < layout.colours; ++i) {
        auto channel = [&](std::size_t c) { return std::to_integer<std::uint8_t>(bytes[start + size * i + c]); };
        palette.push_back({channel(2), channel(1), channel(0)});
    }
    return {};
}

std::size_t row_start(const BmpLayout& layout, const Image& image, std::int32_t y) {
    auto row = static_cast<std::size_t>(layout.top_down ? y : image.height - 1 - y);
    return layout.pixels + row * layout.row_bytes;
}

std::string look_up(ImageBytes bytes, const BmpLayout& layout, Image& image) {
    std::vector<Colour> palette;
    if (auto fault = read_palette(bytes, layout, palette); !fault.empty()) return fault;
    const std::size_t in_byte = 8 / layout.bits, width = static_cast<std::size_t>(image.width);
    const unsigned mask = (1U << layout.bits) - 1;
    auto* to = image.bytes.data();
    for (std::int32_t y = 0; y < image.height; ++y) {
        auto row = bytes.subspan(row_start(layout, image, y), layout.row_bytes);
        for (std::size_t x = 0; x < width; ++x, to += 3) {
            auto shift = layout.bits * (in_byte - 1 - x % in_byte);
            auto index = std::to_integer<unsigned>(row[x / in_byte]) >> shift & mask;
            if (index >= palette.size())
                return fmt::format("it uses colour {} of a palette of {}", index, palette.size());
            to[0] = palette[index].red, to[1] = palette[index].green, to[2] = palette[index].blue;
        }
    }
    return {};
}

// The field under a mask, stretched to 0..255; rounded down, as Pillow does for fields of five and six bits.
std::uint8_t field(std::uint32_t pixel, std::uint32_t mask) {
    if (mask == 0) return 0;
    int shift = std::countr_zero(mask);
    std::uint64_t highest = mask >> shift;
    return static_cast<std::uint8_t>(((pixel & mask) >> shift) * std::uint64_t{255} / highest);
}

std::string read_fields(ImageBytes bytes, const BmpLayout& layout, Image& image) {
    auto masks = layout.masks;
    if (masks == std::array<std::uint32_t, 3>{}) masks = {0xFF0000, 0xFF00, 0xFF};
    for (auto mask : masks) {
        int shift = mask == 0 ? 0 : std::countr_zero(mask);
        auto highest = mask >> shift;
        if (mask == 0 || (highest & (highest + 1)) != 0 || highest > 0xFF) return "not read: unusual bit fields";
    }
    const std::size_t size = layout.bits / 8, width = static_cast<std::size_t>(image.width);
    auto* to = image.bytes.data();
    for (std::int32_t y = 0; y < image.height; ++y) {
        auto row = bytes.subspan(row_start(layout, image, y), layout.row_bytes);
        for (std::size_t x = 0; x < width; ++x, to += 3) {
            auto pixel = little_endian(row, x * size, static_cast<int>(size));
            for (std::size_t c = 0; c < 3; ++c) to[c] = field(pixel, masks[c]);
        }
    }
    return {};
}

}  // namespace

std::string decode_bmp(ImageBytes bytes, Image& image) {
    BmpLayout layout;
    if (auto fault = read_layout(bytes, image, layout); !fault.empty()) return fault;
    return layout.bits <= 8 ? look_up(bytes, layout, image) : read_fields(bytes, layout, image);
}

}  // namespace rootstock
