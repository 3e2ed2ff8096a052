#include "data/image/image.h"

#include "data/image/decoders.h"

namespace rootstock {
namespace {

std::string decode(ImageFormat format, ImageBytes bytes, Image& image) {
    switch (format) {
        case ImageFormat::png:
            return decode_png(bytes, image);
        case ImageFormat::jpeg:
            return decode_jpeg(bytes, image);
        case ImageFormat::bmp:
            return decode_bmp(bytes, image);
        case ImageFormat::webp:
            return decode_webp(bytes, image);
    }
    ROOTSTOCK_CHECK(false, "an ImageFormat outside its list");
}

}  // namespace

Result<Image> read_image(std::span<const std::byte> bytes, std::string_view what, const ImageLimits& limits) {
    ROOTSTOCK_TRY(header, read_image_header(bytes, what, limits));
    Image image;
    image.width = static_cast<std::int32_t>(header.width);
    image.height = static_cast<std::int32_t>(header.height);
    image.bytes.resize(static_cast<std::size_t>(header.width * header.height * image.channels));
    auto fault = decode(header.format, bytes, image);
    if (fault.empty()) return image;
    constexpr std::string_view not_read = "not read: ";
    if (fault.starts_with(not_read))
        return fail(ErrorCode::unsupported, fmt::format("{} is a {} image with {}; save it without", what,
                                                        name(header.format), fault.substr(not_read.size())));
    return fail(ErrorCode::corrupt, fmt::format("{} is a damaged {} image: {}", what, name(header.format), fault), {},
                "damaged_image");
}

Result<Image> read_image_file(const std::filesystem::path& path, const ImageLimits& limits) {
    ROOTSTOCK_TRY(bytes, read_file(path, limits.bytes_max));
    return read_image(std::as_bytes(std::span(bytes)), path.string(), limits);
}

}  // namespace rootstock
