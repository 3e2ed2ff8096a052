// The size of an image, read from the first bytes of each format:
//   PNG   signature, then the chunk IHDR: width u32, height u32 (big-endian)
//   JPEG  FF D8, then segments (FF, marker, length u16 big-endian); a start of frame holds height u16, width u16
//   BMP   "BM", size, offset, then the information header: 12 bytes (u16 sizes) or at least 40 (i32 sizes; a negative
//         height stands for rows from top to bottom)
//   WebP  RIFF of chunks "VP8X" (canvas, u24 less one), "VP8L" (14 bits each, less one) or "VP8 " (14 bits each)

#include <cstring>

#include "data/image/decoders.h"

namespace rootstock {
namespace {

using Size = std::optional<std::pair<std::int64_t, std::int64_t>>;  // width, height

bool holds(ImageBytes bytes, std::size_t at, std::string_view text) {
    return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

std::optional<ImageFormat> format_of(ImageBytes bytes) {
    if (holds(bytes, 0, "\x89PNG\r\n\x1A\n")) return ImageFormat::png;
    if (holds(bytes, 0, "\xFF\xD8\xFF")) return ImageFormat::jpeg;
    if (holds(bytes, 0, "BM")) return ImageFormat::bmp;
    if (holds(bytes, 0, "RIFF") && holds(bytes, 8, "WEBP")) return ImageFormat::webp;
    return std::nullopt;
}

Size png_size(ImageBytes bytes) {
    if (bytes.size() < 33 || !holds(bytes, 12, "IHDR") || big_endian(bytes, 8, 4) != 13) return std::nullopt;
    return std::pair<std::int64_t, std::int64_t>{big_endian(bytes, 16, 4), big_endian(bytes, 20, 4)};
}

bool starts_a_frame(std::uint32_t marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Size jpeg_size(ImageBytes bytes) {
    for (std::size_t at = 2; at + 4 <= bytes.size();) {
        if (bytes[at] != std::byte{0xFF}) {
            ++at;  // decoders read over bytes between segments
            continue;
        }
        auto marker = big_endian(bytes, at + 1, 1);
        if (marker == 0xFF) {
            ++at;  // fill byte
        } else if (marker == 0 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;  // markers without a segment
        } else if (marker == 0xD9 || marker == 0xDA) {
            return std::nullopt;  // the image data begin or end before any frame
        } else if (starts_a_frame(marker)) {
            if (at + 9 > bytes.size()) return std::nullopt;
            return std::pair<std::int64_t, std::int64_t>{big_endian(bytes, at + 7, 2), big_endian(bytes, at + 5, 2)};
        } else {
            at += 2 + big_endian(bytes, at + 2, 2);
        }
    }
    return std::nullopt;
}

Size bmp_size(ImageBytes bytes) {
    if (bytes.size() < 26) return std::nullopt;
    auto header = little_endian(bytes, 14, 4);
    if (header == 12)
        return std::pair<std::int64_t, std::int64_t>{little_endian(bytes, 18, 2), little_endian(bytes, 20, 2)};
    if (header < 40) return std::nullopt;
    auto height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));
    return std::pair<std::int64_t, std::int64_t>{static_cast<std::int32_t>(little_endian(bytes, 18, 4)),
                                                 std::abs(std::int64_t{height})};
}

Size webp_size(ImageBytes bytes) {
    if (bytes.size() < 30) return std::nullopt;
    if (holds(bytes, 12, "VP8X"))
        return std::pair<std::int64_t, std::int64_t>{little_endian(bytes, 24, 3) + 1, little_endian(bytes, 27, 3) + 1};
    if (holds(bytes, 12, "VP8L")) {
        auto bits = little_endian(bytes, 21, 4);
        return std::pair<std::int64_t, std::int64_t>{(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
    }
    if (!holds(bytes, 12, "VP8 ") || !holds(bytes, 23, "\x9D\x01\x2A")) return std::nullopt;
    return std::pair<std::int64_t, std::int64_t>{little_endian(bytes, 26, 2) & 0x3FFF,
                                                 little_endian(bytes, 28, 2) & 0x3FFF};
}

Size size_of(ImageFormat format, ImageBytes bytes) {
    switch (format) {
        case ImageFormat::png:
            return png_size(bytes);
        case ImageFormat::jpeg:
            return jpeg_size(bytes);
        case ImageFormat::bmp:
            return bmp_size(bytes);
        case ImageFormat::webp:
            return webp_size(bytes);
    }
    ROOTSTOCK_CHECK(false, "an ImageFormat outside its list");
}

std::unexpected<Error> not_an_image(std::string_view what, std::string_view sentence) {
    return fail(ErrorCode::invalid_argument, fmt::format("{} {}", what, sentence), {}, "not_an_image");
}

std::unexpected<Error> image_too_large(std::string message) {
    return fail(ErrorCode::too_large, std::move(message), {}, "image_too_large");
}

}  // namespace

const char* name(ImageFormat format) {
    switch (format) {
        case ImageFormat::png:
            return "PNG";
        case ImageFormat::jpeg:
            return "JPEG";
        case ImageFormat::bmp:
            return "BMP";
        case ImageFormat::webp:
            return "WebP";
    }
    ROOTSTOCK_CHECK(false, "an ImageFormat outside its list");
}

Result<ImageHeader> read_image_header(std::span<const std::byte> bytes, std::string_view what,
                                      const ImageLimits& limits) {
    if (bytes.size() > limits.bytes_max)
        return image_too_large(fmt::format("{} has {} bytes, more than the {} that are read; make it smaller", what,
                                           format_count(bytes.size()), format_count(limits.bytes_max)));
    auto format = format_of(bytes);
    if (!format) return not_an_image(what, "is not a PNG, JPEG, BMP or WebP image; convert it to one of these");
    auto size = size_of(*format, bytes);
    if (!size || size->first < 1 || size->second < 1)
        return not_an_image(what,
                            fmt::format("begins like a {} image, but its header gives no size; it is truncated or "
                                        "damaged",
                                        name(*format)));
    auto [width, height] = *size;
    if (width > limits.side_max || height > limits.side_max)
        return image_too_large(fmt::format("{} is {} x {} pixels; no side may be longer than {}: make it smaller", what,
                                           width, height, limits.side_max));
    if (width * height > limits.pixels_max)
        return image_too_large(fmt::format("{} is {} x {} = {} pixels, more than the {} that are read; make it smaller",
                                           what, width, height,
                                           format_count(static_cast<std::uint64_t>(width * height)),
                                           format_count(static_cast<std::uint64_t>(limits.pixels_max))));
    return ImageHeader{*format, width, height};
}

}  // namespace rootstock
