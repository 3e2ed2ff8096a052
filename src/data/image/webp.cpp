// WebP (RFC 9649) through libwebp.

#include <webp/decode.h>

#include "data/image/decoders.h"

namespace rootstock {

std::string decode_webp(ImageBytes bytes, Image& image) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    WebPBitstreamFeatures features;
    auto status = WebPGetFeatures(data, bytes.size(), &features);
    if (status == VP8_STATUS_NOT_ENOUGH_DATA) return std::string(ends_early);
    if (status != VP8_STATUS_OK) return "its header contradicts itself";
    if (features.has_animation) return "not read: animation";
    if (features.width != image.width || features.height != image.height) return "it contradicts its header";
    const auto* decoded =
        WebPDecodeRGBInto(data, bytes.size(), image.bytes.data(), image.bytes.size(), image.width * 3);
    return decoded != nullptr ? std::string() : std::string("its data end early or contradict themselves");
}

}  // namespace rootstock
