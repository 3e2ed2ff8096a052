#pragma once
// One decoder for each format. Each fills `image`, whose size is already that of the header and whose bytes are
// allocated, and answers with an empty string or with what is wrong ("the data end early").

#include <string>

#include "data/image/image.h"

namespace rootstock {

using ImageBytes = std::span<const std::byte>;

std::string decode_png(ImageBytes bytes, Image& image);
std::string decode_jpeg(ImageBytes bytes, Image& image);
std::string decode_bmp(ImageBytes bytes, Image& image);
std::string decode_webp(ImageBytes bytes, Image& image);

constexpr std::string_view ends_early = "the file ends before the image does";

// A whole number from the file; the caller has made sure that the bytes are there.
inline std::uint32_t little_endian(ImageBytes bytes, std::size_t at, int size) {
    std::uint32_t value = 0;
    for (int i = size; i-- > 0;)
        value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + static_cast<unsigned>(i)]);
    return value;
}

inline std::uint32_t big_endian(ImageBytes bytes, std::size_t at, int size) {
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i)
        value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + static_cast<unsigned>(i)]);
    return value;
}

}  // namespace rootstock
