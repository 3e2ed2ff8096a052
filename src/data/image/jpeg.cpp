// JPEG (ITU-T T.81) through libjpeg-turbo with its default, exact transform. libjpeg's error handler must not return,
// so it leaves by longjmp: the function that calls libjpeg owns nothing, everything with a destructor lives in its
// caller.

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
// libjpeg's header needs size_t and FILE before it.
#include <jerror.h>
#include <jpeglib.h>

#include "data/image/decoders.h"

namespace rootstock {
namespace {

// A progressive file may hold many passes over the whole image, at a few bytes each; real ones hold about ten.
int passes_max(const jpeg_decompress_struct& jpeg) {
    constexpr std::int64_t pixels_touched_max = 2'000'000'000;
    return static_cast<int>(
        std::clamp<std::int64_t>(pixels_touched_max / (std::int64_t{jpeg.image_width} * jpeg.image_height), 20, 200));
}

struct JpegReading {
    jpeg_decompress_struct jpeg;
    jpeg_error_mgr errors;
    jpeg_progress_mgr progress;
    std::jmp_buf leave;
    char fault[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave_with(JpegReading& reading, std::string_view fault) {
    auto count = std::min(fault.size(), sizeof reading.fault - 1);
    std::memcpy(reading.fault, fault.data(), count);
    reading.fault[count] = 0;
    std::longjmp(reading.leave, 1);
}

JpegReading& reading_of(j_common_ptr common) { return *static_cast<JpegReading*>(common->client_data); }

[[noreturn]] void on_error(j_common_ptr common) {
    auto& reading = reading_of(common);
    char message[JMSG_LENGTH_MAX];
    common->err->format_message(common, message);
    leave_with(reading, message);
}

// Warnings say that something was patched up. Where the patch is invented pixels the image is damaged; the others,
// such as stray bytes between segments, lose nothing.
void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;
    int code = common->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) leave_with(reading_of(common), ends_early);
}

void on_progress(j_common_ptr common) {
    auto& jpeg = *reinterpret_cast<j_decompress_ptr>(common);
    if (jpeg.input_scan_number > passes_max(jpeg)) leave_with(reading_of(common), "it holds too many passes");
}

void choose_colours(JpegReading& reading) {
    auto& jpeg = reading.jpeg;
    if (jpeg.num_components == 1)
        jpeg.out_color_space = JCS_GRAYSCALE;
    else if (jpeg.num_components == 3)
        jpeg.out_color_space = JCS_RGB;
    else if (jpeg.num_components == 4)
        jpeg.out_color_space = JCS_CMYK;
    else
        leave_with(reading, "it has neither one, three nor four components");
}

// One row of grey or CMYK values, widened in place to RGB; the row ends where `to` + 3 * width ends.
void widen_grey(const JSAMPLE* from, JSAMPLE* to, std::size_t width) {
    for (std::size_t x = 0; x < width; ++x) to[3 * x] = to[3 * x + 1] = to[3 * x + 2] = from[x];
}

// value / 255, rounded, as Pillow computes it without a division.
int over_255(int product) {
    int rounded = product + 128;
    return ((rounded >> 8) + rounded) >> 8;
}

void mix_cmyk(const JSAMPLE* from, JSAMPLE* to, std::size_t width) {
    for (std::size_t x = 0; x < width; ++x) {
        int white = from[4 * x + 3];  // the file holds 255 less the ink
        for (std::size_t c = 0; c < 3; ++c) {
            int value = white - over_255((255 - from[4 * x + c]) * white);
            to[3 * x + c] = static_cast<JSAMPLE>(value < 0 ? 0 : value);
        }
    }
}

bool read_all(JpegReading& reading, ImageBytes bytes, Image& image, JSAMPLE* row) {
    auto& jpeg = reading.jpeg;
    if (setjmp(reading.leave)) return false;
    jpeg_create_decompress(&jpeg);
    jpeg.progress = &reading.progress;
    jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&jpeg, TRUE);
    if (jpeg.image_width != static_cast<JDIMENSION>(image.width) ||
        jpeg.image_height != static_cast<JDIMENSION>(image.height))
        leave_with(reading, "it contradicts its header");
    choose_colours(reading);
    jpeg_start_decompress(&jpeg);
    auto width = static_cast<std::size_t>(image.width);
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPLE* target = image.bytes.data() + std::size_t{jpeg.output_scanline} * width * 3;
        JSAMPROW place = jpeg.num_components == 3 ? target : row;
        jpeg_read_scanlines(&jpeg, &place, 1);
        if (jpeg.num_components == 1) widen_grey(row, target, width);
        if (jpeg.num_components == 4) mix_cmyk(row, target, width);
    }
    jpeg_finish_decompress(&jpeg);
    return true;
}

}  // namespace

std::string decode_jpeg(ImageBytes bytes, Image& image) {
    JpegReading reading{};
    std::vector<JSAMPLE> row(static_cast<std::size_t>(image.width) * 4);
    reading.jpeg.err = jpeg_std_error(&reading.errors);
    reading.errors.error_exit = on_error;
    reading.errors.emit_message = on_message;
    reading.progress.progress_monitor = on_progress;
    reading.jpeg.client_data = &reading;
    bool whole = read_all(reading, bytes, image, row.data());
    jpeg_destroy_decompress(&reading.jpeg);
    return whole ? std::string() : std::string(reading.fault);
}

}  // namespace rootstock
