// PNG (ISO/IEC 15948) through libpng. libpng leaves a failed read by longjmp, so the function that calls it owns
// nothing: everything with a destructor lives in its caller.

#include <png.h>

#include <array>
#include <cstring>

#include "data/image/decoders.h"

namespace rootstock {
namespace {

struct PngReading {
    ImageBytes bytes;
    std::size_t at = 0;
    Image& image;
    std::array<char, 160> fault{};
    std::vector<std::uint8_t> pixels;  // as in the file, whole bytes: [height, row_bytes]
    std::vector<png_bytep> rows;
    png_uint_32 width = 0, height = 0;
    int depth = 0, colour = 0;
    std::size_t row_bytes = 0;
    std::array<png_color, 256> palette{};
    int colours = 0;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
    auto* reading = static_cast<PngReading*>(png_get_error_ptr(png));
    std::strncpy(reading->fault.data(), message, reading->fault.size() - 1);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void give_bytes(png_structp png, png_bytep place, std::size_t count) {
    auto* reading = static_cast<PngReading*>(png_get_io_ptr(png));
    if (count > reading->bytes.size() - reading->at) png_error(png, ends_early.data());
    std::memcpy(place, reading->bytes.data() + reading->at, count);
    reading->at += count;
}

// A byte (or two) for each sample; grey of fewer bits is stretched to 0..255, palette indices are left as they are.
void choose_layout(png_structp png, png_infop info, PngReading& reading) {
    png_get_IHDR(png, info, &reading.width, &reading.height, &reading.depth, &reading.colour, nullptr, nullptr,
                 nullptr);
    if (reading.width != static_cast<png_uint_32>(reading.image.width) ||
        reading.height != static_cast<png_uint_32>(reading.image.height))
        png_error(png, "it contradicts its header");
    if (reading.colour == PNG_COLOR_TYPE_PALETTE) png_set_packing(png);
    if (reading.colour == PNG_COLOR_TYPE_GRAY && reading.depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    png_set_interlace_handling(png);
    png_colorp colours = nullptr;
    if (png_get_PLTE(png, info, &colours, &reading.colours) != 0)
        std::memcpy(reading.palette.data(), colours, sizeof(png_color) * static_cast<std::size_t>(reading.colours));
    png_read_update_info(png, info);
    reading.row_bytes = png_get_rowbytes(png, info);
}

void make_rows(PngReading& reading) {
    reading.pixels.resize(reading.row_bytes * reading.height);
    reading.rows.resize(reading.height);
    for (std::size_t y = 0; y < reading.height; ++y) reading.rows[y] = reading.pixels.data() + y * reading.row_bytes;
}

bool read_all(png_structp png, png_infop info, PngReading& reading) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_read_fn(png, &reading, give_bytes);
    png_set_user_limits(png, 65'535, 65'535);
    png_read_info(png, info);
    choose_layout(png, info, reading);
    make_rows(reading);
    png_read_image(png, reading.rows.data());
    png_read_end(png, nullptr);
    return true;
}

void spread_grey(const PngReading& reading, Image& image) {
    const std::size_t samples = reading.colour & PNG_COLOR_MASK_ALPHA ? 2 : 1, size = reading.depth == 16 ? 2 : 1;
    const bool cut = size == 2 && samples == 1;
    const auto* from = reading.pixels.data();
    for (std::size_t i = 0; i < image.bytes.size(); i += 3, from += samples * size) {
        std::uint8_t grey = cut && from[0] == 0 ? from[1] : cut ? 255 : from[0];
        image.bytes[i] = image.bytes[i + 1] = image.bytes[i + 2] = grey;
    }
}

void keep_colour(const PngReading& reading, Image& image) {
    const std::size_t samples = reading.colour & PNG_COLOR_MASK_ALPHA ? 4 : 3, size = reading.depth == 16 ? 2 : 1;
    const auto* from = reading.pixels.data();
    for (std::size_t i = 0; i < image.bytes.size(); i += 3, from += samples * size)
        for (std::size_t c = 0; c < 3; ++c) image.bytes[i + c] = from[c * size];
}

std::string look_up(const PngReading& reading, Image& image) {
    for (std::size_t i = 0; i < reading.pixels.size(); ++i) {
        auto index = reading.pixels[i];
        if (index >= reading.colours)
            return fmt::format("it uses colour {} of a palette of {}", index, reading.colours);
        const auto& colour = reading.palette[index];
        image.bytes[3 * i] = colour.red, image.bytes[3 * i + 1] = colour.green, image.bytes[3 * i + 2] = colour.blue;
    }
    return {};
}

}  // namespace

std::string decode_png(ImageBytes bytes, Image& image) {
    PngReading reading{bytes, 0, image, {}, {}, {}, 0, 0, 0, 0, 0, {}, 0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
    ROOTSTOCK_CHECK(png != nullptr, "libpng differs from its header");
    png_infop info = png_create_info_struct(png);
    bool whole = info != nullptr && read_all(png, info, reading);
    png_destroy_read_struct(&png, &info, nullptr);
    if (!whole) return reading.fault.data();
    if (reading.colour == PNG_COLOR_TYPE_PALETTE) return look_up(reading, image);
    if (reading.colour & PNG_COLOR_MASK_COLOR)
        keep_colour(reading, image);
    else
        spread_grey(reading, image);
    return {};
}

}  // namespace rootstock
