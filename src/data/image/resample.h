#pragma once
// Images in another size, with the pixels that Pillow's Image.resize gives, bit by bit.

#include "data/image/image.h"

namespace rootstock {

// The numbers are those of Pillow and of preprocessor_config.json.
enum class Resampling { nearest = 0, lanczos = 1, bilinear = 2, bicubic = 3, box = 4, hamming = 5 };

// Width and height are at least 1. When shrinking, every source pixel counts (the filter grows with the scale).
Image resize_image(const Image& image, std::int32_t width, std::int32_t height, Resampling resampling);

}  // namespace rootstock
