#pragma once
// Images: from the bytes of a file to the pixels a vision transformer takes.
//
//   bytes --read_image--> Image (8-bit RGB) --preprocess_image--> [channels, height, width] floats
//
// Read are PNG, JPEG, BMP and WebP. The size is taken from the header, by our own parser, before anything is
// decoded, so that a few bytes which promise a huge image cost nothing. Truncated or damaged files are an error,
// never half an image.
//
// The pixels are those that Pillow 10.4 gives for Image.open(...).convert("RGB"), bit by bit:
//   grey is repeated in all three channels; palettes are looked up; alpha is dropped, not blended
//   16-bit colour keeps its high byte; 16-bit grey without alpha is cut at 255 (Pillow's mode "I;16")
//   CMYK JPEG counts as inverted, as Adobe writes it; gamma and colour profiles are not applied
//   the EXIF orientation is not applied: Pillow does not turn an image when it opens it
// Stricter than Pillow: a file must be complete to its end mark, and a palette index must have its colour.
// Not read: BMP with run lengths, animated WebP. Of an animated PNG the default image is read.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

enum class ImageFormat { png, jpeg, bmp, webp };

const char* name(ImageFormat format);

// What the header promises.
struct ImageHeader {
    ImageFormat format = ImageFormat::png;
    std::int64_t width = 0, height = 0;  // pixels, at least 1
    bool operator==(const ImageHeader&) const = default;
};

struct ImageLimits {
    std::int64_t pixels_max = 50'000'000;            // width times height
    std::int64_t side_max = 65'535;                  // the largest side a JPEG can have
    std::size_t bytes_max = std::size_t{256} << 20;  // of the file
};

struct Image {
    std::int32_t width = 0, height = 0;
    std::int32_t channels = 3;        // red, green, blue
    std::vector<std::uint8_t> bytes;  // [height, width, channels]
    bool operator==(const Image&) const = default;
};

// `what` names the source in messages ("row 17, photo.png").
// invalid_argument (reason "not_an_image"): none of the formats, or a header that contradicts itself; too_large
// (reason "image_too_large"): more pixels or bytes than the limits, with the numbers.
Result<ImageHeader> read_image_header(std::span<const std::byte> bytes, std::string_view what,
                                      const ImageLimits& limits = {});

// As above, and corrupt (reason "damaged_image"): truncated or damaged; unsupported: see the list above.
Result<Image> read_image(std::span<const std::byte> bytes, std::string_view what, const ImageLimits& limits = {});

// As above, and not_found, io.
Result<Image> read_image_file(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace rootstock
