#include "data/image/picture_reader.h"

namespace rootstock {

namespace {

constexpr const char* kFile = "preprocessor_config.json";
constexpr std::size_t kBytesMax = std::size_t{1} << 20;

// What a square picture of any size comes out as; nothing where its own size decides.
bool makes(const ImagePreprocessing& preprocessing, int side) {
    const auto& size = preprocessing.center_crop ? preprocessing.crop_size : preprocessing.size;
    if (!preprocessing.center_crop && (!preprocessing.resize || size.shortest_edge > 0)) return false;
    return size.height == side && size.width == side;
}

}  // namespace

Result<PictureReader> PictureReader::open(const std::filesystem::path& folder, int side, int channels) {
    const auto file = folder / kFile;
    auto text = read_file(file, kBytesMax);
    if (!text && text.error().code == ErrorCode::not_found)
        return fail(ErrorCode::not_found, folder.string() + " has no " + kFile +
                                              ", which says how pictures are prepared for this model; fetch it again "
                                              "with that file");
    if (!text) return fail(text.error());
    ROOTSTOCK_TRY(preprocessing, parse_image_preprocessing(*text, file.string()));
    if (channels != 3)
        return fail(ErrorCode::unsupported, folder.string() + " takes pictures of " + std::to_string(channels) +
                                                " channels; red, green and blue are prepared here");
    if (!makes(preprocessing, side))
        return fail(ErrorCode::conflict, file.string() + " does not make pictures of " + std::to_string(side) + " x " +
                                             std::to_string(side) + ", which config.json asks for");
    return PictureReader(preprocessing);
}

Result<void> PictureReader::read(const std::filesystem::path& picture, std::vector<float>& pixels) const {
    ROOTSTOCK_TRY(image, read_image_file(picture));
    return add(image, pixels);
}

Result<void> PictureReader::read(std::span<const std::byte> file, std::string_view what,
                                 std::vector<float>& pixels) const {
    ROOTSTOCK_TRY(image, read_image(file, what));
    return add(image, pixels);
}

Result<void> PictureReader::add(const Image& image, std::vector<float>& pixels) const {
    ROOTSTOCK_TRY(values, preprocess_image(image, preprocessing_));
    pixels.insert(pixels.end(), values.values.begin(), values.values.end());
    return {};
}

}  // namespace rootstock
