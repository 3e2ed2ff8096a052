// data/image: PNG, JPEG, BMP and WebP to pixels.

#include <cstdlib>

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto image = read_image(std::as_bytes(std::span(data, size)), "the input", {.pixels_max = 1 << 20});
    if (!image) return 0;
    if (image->bytes.size() != static_cast<std::size_t>(image->width) * static_cast<std::size_t>(image->height) * 3)
        std::abort();
    std::size_t sum = 0;
    for (auto byte : image->bytes) sum += byte;
    fuzz::use(sum);
    return 0;
}
