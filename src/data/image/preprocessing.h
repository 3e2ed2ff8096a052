#pragma once
// What happens to an image before a vision transformer sees it, as preprocessor_config.json says: resize, cut out the
// middle, scale to 0..1, subtract the mean and divide by the deviation of each channel. The numbers are those of the
// slow image processors of transformers 4.45, bit by bit:
//
//   ViT   (ViTImageProcessor, ViTFeatureExtractor)    resized to 224 x 224, bilinear; no centre crop, as there
//   DeiT  (DeiTImageProcessor, DeiTFeatureExtractor)  resized to 256 x 256, bicubic, the middle 224 x 224
//   CLIP  (CLIPImageProcessor, CLIPFeatureExtractor)  the shorter side resized to 224, bicubic, the middle 224 x 224
//
// These are the defaults; the fields of the file change them.

#include <array>
#include <filesystem>
#include <string_view>

#include "data/image/image.h"
#include "data/image/resample.h"

namespace rootstock {

struct ImagePreprocessing {
    enum class Kind { vit, deit, clip };
    struct Size {
        std::int32_t height = 224, width = 224;
        std::int32_t shortest_edge = 0;  // instead of the two; the longer side follows in proportion. 0: not used
        bool operator==(const Size&) const = default;
    };

    Kind kind = Kind::vit;
    bool resize = true;  // do_resize
    Size size;
    Resampling resampling = Resampling::bilinear;  // resample
    bool center_crop = false;                      // do_center_crop; a smaller image is padded with black
    Size crop_size;
    bool rescale = true;  // do_rescale
    double rescale_factor = 1.0 / 255;
    bool normalize = true;                              // do_normalize
    std::array<double, 3> mean = {0.5, 0.5, 0.5};       // image_mean
    std::array<double, 3> deviation = {0.5, 0.5, 0.5};  // image_std
    bool operator==(const ImagePreprocessing&) const = default;
};

// The defaults of a kind.
ImagePreprocessing default_preprocessing(ImagePreprocessing::Kind kind);

// The text of preprocessor_config.json; `what` names it in messages. image_processor_type (or feature_extractor_type)
// tells the kind, `kind` holds where the file is silent. Fields of no concern here are passed over, as there.
// invalid_argument: bad JSON, or a field with a wrong value, which the sentence names; unsupported: another processor.
Result<ImagePreprocessing> parse_image_preprocessing(std::string_view text, std::string_view what,
                                                     ImagePreprocessing::Kind kind = ImagePreprocessing::Kind::vit);

struct PixelValues {
    std::int32_t channels = 3, height = 0, width = 0;
    std::vector<float> values;  // [channels, height, width]
};

// too_large (reason "image_too_large"): an image so narrow that its resized longer side passes every limit.
Result<PixelValues> preprocess_image(const Image& image, const ImagePreprocessing& preprocessing);

}  // namespace rootstock
