// data/image: preprocessor_config.json, and what it makes of a small picture.

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto preprocessing = parse_image_preprocessing(fuzz::as_text(data, size), "preprocessor_config.json");
    if (!preprocessing) return 0;
    // Sides up to 4096 are allowed; here only small ones are computed, so that a second has many runs.
    for (const auto& size_of : {preprocessing->size, preprocessing->crop_size})
        if (size_of.height > 64 || size_of.width > 64 || size_of.shortest_edge > 64) return 0;
    Image picture{5, 3, 3, {}};
    for (int i = 0; i < 5 * 3 * 3; ++i) picture.bytes.push_back(static_cast<std::uint8_t>(37 * i));
    auto pixels = preprocess_image(picture, *preprocessing);
    fuzz::use(pixels.has_value());
    return 0;
}
