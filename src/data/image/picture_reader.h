#pragma once
// Pictures from files as a vision model of a folder takes them: its preprocessor_config.json, for its own size.

#include <filesystem>
#include <vector>

#include "data/image/preprocessing.h"

namespace rootstock {

class PictureReader {
public:
    // Reads folder/preprocessor_config.json; `side` and `channels` are what the model takes. not_found: the folder has
    // no such file; invalid_argument or unsupported: see parse_image_preprocessing; conflict: it makes another size.
    static Result<PictureReader> open(const std::filesystem::path& folder, int side, int channels);

    // Appends [channels, side, side] numbers. Errors: those of read_image_file and preprocess_image.
    Result<void> read(const std::filesystem::path& picture, std::vector<float>& pixels) const;
    // The same of a file in memory; `what` names it. Errors: those of read_image and preprocess_image.
    Result<void> read(std::span<const std::byte> file, std::string_view what, std::vector<float>& pixels) const;

private:
    Result<void> add(const Image& image, std::vector<float>& pixels) const;
    explicit PictureReader(ImagePreprocessing preprocessing) : preprocessing_(preprocessing) {}
    ImagePreprocessing preprocessing_;
};

}  // namespace rootstock
