#include "data/image/preprocessing.h"

#include <algorithm>
#include <cmath>

namespace rootstock {
namespace {

using Kind = ImagePreprocessing::Kind;
using Size = ImagePreprocessing::Size;

constexpr std::int32_t side_max = 4096;
constexpr std::int64_t resized_pixels_max = 50'000'000;

// ---- reading the configuration

Result<Kind> kind_of(std::string_view type, std::string_view what, Kind otherwise) {
    if (type.empty()) return otherwise;
    for (auto [prefix, kind] : {std::pair{"ViT", Kind::vit}, {"DeiT", Kind::deit}, {"CLIP", Kind::clip}})
        for (auto ending : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"})
            if (type == std::string(prefix) + ending) return kind;
    return fail(ErrorCode::unsupported,
                fmt::format("{}: images are prepared by '{}'; only the ViT, DeiT and CLIP image processors are known",
                            what, type),
                "image_processor_type");
}

bool is_side(const json::value& value) {
    boost::system::error_code code;
    auto number = value.to_number<std::int64_t>(code);
    return value.is_number() && !code && number >= 1 && number <= side_max;
}

std::int32_t side(const json::value& value) { return value.to_number<std::int32_t>(); }

constexpr std::string_view size_form =
    "must be a whole number from 1 to 4096, or an object with height and width of that kind";

// A number, a list [height, width], {height, width} or, where it may be, {shortest_edge}.
void read_size(JsonFields& fields, std::string_view key, bool edge_allowed, Size& size) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return;
    const auto* list = value->if_array();
    const auto* object = value->if_object();
    if (is_side(*value)) {
        auto length = side(*value);
        size = edge_allowed ? Size{0, 0, length} : Size{length, length, 0};
    } else if (list && list->size() == 2 && is_side((*list)[0]) && is_side((*list)[1])) {
        size = {side((*list)[0]), side((*list)[1]), 0};
    } else if (object && object->size() == 2 && object->contains("height") && object->contains("width") &&
               is_side(object->at("height")) && is_side(object->at("width"))) {
        size = {side(object->at("height")), side(object->at("width")), 0};
    } else if (object && object->size() == 1 && object->contains("shortest_edge") &&
               is_side(object->at("shortest_edge"))) {
        if (edge_allowed)
            size = {0, 0, side(object->at("shortest_edge"))};
        else
            fields.fault(key, "gives the shortest_edge, where this processor needs height and width");
    } else {
        fields.fault(key, std::string(size_form) + (edge_allowed ? ", or with shortest_edge alone" : ""));
    }
}

// One number for all channels or a list of three.
void read_channels(JsonFields& fields, std::string_view key, bool divisor, std::array<double, 3>& channels) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return;
    const auto* list = value->if_array();
    bool good = value->is_number() || (list && list->size() == 3);
    for (std::size_t c = 0; good && c < 3; ++c) {
        boost::system::error_code code;
        const auto& item = list ? (*list)[c] : *value;
        channels[c] = item.to_number<double>(code);
        good = !code && item.is_number() && std::isfinite(channels[c]) && !(divisor && !(channels[c] > 0));
    }
    if (!good)
        fields.fault(key,
                     divisor ? "must be a number above 0, or a list of three" : "must be a number, or a list of three");
}

// ---- working on pixels

Result<Image> resized(const Image& image, const ImagePreprocessing& preprocessing) {
    auto [height, width, edge] = preprocessing.size;
    if (edge == 0) return resize_image(image, width, height, preprocessing.resampling);
    const bool upright = image.width <= image.height;
    const double shorter = upright ? image.width : image.height, longer = upright ? image.height : image.width;
    // In this order, for the same last bit as there: the product, then the quotient, cut to a whole number.
    const double follows = std::floor(static_cast<double>(edge) * longer / shorter);
    if (follows * edge > static_cast<double>(resized_pixels_max))
        return fail(
            ErrorCode::too_large,
            fmt::format("an image of {} x {} pixels would grow to {} x {:.0f}, more than {} pixels; cut it to a "
                        "less narrow shape",
                        image.width, image.height, edge, follows,
                        format_count(static_cast<std::uint64_t>(resized_pixels_max))),
            {}, "image_too_large");
    auto other = static_cast<std::int32_t>(follows);
    return resize_image(image, upright ? edge : other, upright ? other : edge, preprocessing.resampling);
}

// Where the window of `wanted` pixels begins on a side of `has` pixels; negative when it begins in the padding.
std::int32_t window_start(std::int32_t has, std::int32_t wanted) {
    if (wanted <= has) return (has - wanted) / 2;
    return -((wanted - has + 1) / 2);
}

Image cropped(const Image& image, Size size) {
    Image window{size.width, size.height, image.channels, {}};
    window.bytes.resize(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3);
    const auto left = window_start(image.width, size.width), top = window_start(image.height, size.height);
    const auto first = std::max(0, -left), last = std::min(size.width, image.width - left);
    for (std::int32_t y = 0; y < size.height; ++y) {
        if (y + top < 0 || y + top >= image.height) continue;
        auto place = [](std::int32_t row, std::int32_t width, std::int32_t column) {
            return (static_cast<std::ptrdiff_t>(row) * width + column) * 3;
        };
        std::copy_n(image.bytes.begin() + place(y + top, image.width, first + left), (last - first) * 3,
                    window.bytes.begin() + place(y, size.width, first));
    }
    return window;
}

// The float of each of the 256 byte values. Rescaling is done in double and rounded to float, the rest in float.
std::array<float, 256> value_table(const ImagePreprocessing& preprocessing, std::size_t channel) {
    std::array<float, 256> table;
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
        auto value = static_cast<double>(byte);
        table[byte] = static_cast<float>(preprocessing.rescale ? value * preprocessing.rescale_factor : value);
        if (preprocessing.normalize)
            table[byte] = (table[byte] - static_cast<float>(preprocessing.mean[channel])) /
                          static_cast<float>(preprocessing.deviation[channel]);
    }
    return table;
}

}  // namespace

ImagePreprocessing default_preprocessing(Kind kind) {
    ImagePreprocessing defaults;
    defaults.kind = kind;
    if (kind == Kind::vit) return defaults;
    defaults.resampling = Resampling::bicubic;
    defaults.center_crop = true;
    defaults.size = kind == Kind::deit ? Size{256, 256, 0} : Size{0, 0, 224};
    if (kind == Kind::clip) {
        defaults.mean = {0.48145466, 0.4578275, 0.40821073};
        defaults.deviation = {0.26862954, 0.26130258, 0.27577711};
    }
    return defaults;
}

Result<ImagePreprocessing> parse_image_preprocessing(std::string_view text, std::string_view what, Kind kind) {
    ROOTSTOCK_TRY(value, parse_json(text, what));
    JsonFields fields(value, what);
    fields.ignore_others();
    auto older = fields.optional_string("feature_extractor_type", "");
    auto type = fields.optional_string("image_processor_type", older);
    ROOTSTOCK_TRY(known, kind_of(type, what, kind));
    auto read = default_preprocessing(known);
    const bool edge_allowed = known == Kind::clip;
    read.resize = fields.optional_bool("do_resize", read.resize);
    read_size(fields, "size", edge_allowed, read.size);
    read.resampling = static_cast<Resampling>(fields.optional_int("resample", static_cast<int>(read.resampling), 0, 5));
    if (known != Kind::vit) {
        read.center_crop = fields.optional_bool("do_center_crop", read.center_crop);
        read_size(fields, "crop_size", false, read.crop_size);
    }
    read.rescale = fields.optional_bool("do_rescale", read.rescale);
    read.rescale_factor = fields.optional_number("rescale_factor", read.rescale_factor, -1e6, 1e6);
    read.normalize = fields.optional_bool("do_normalize", read.normalize);
    read_channels(fields, "image_mean", false, read.mean);
    read_channels(fields, "image_std", true, read.deviation);
    fields.optional_bool("do_convert_rgb", true);  // an Image is RGB already
    ROOTSTOCK_CHECKED(fields.finish());
    return read;
}

Result<PixelValues> preprocess_image(const Image& image, const ImagePreprocessing& preprocessing) {
    Image now = image;
    if (preprocessing.resize) {
        ROOTSTOCK_TRY(changed, resized(image, preprocessing));
        now = std::move(changed);
    }
    if (preprocessing.center_crop) now = cropped(now, preprocessing.crop_size);
    PixelValues pixels{3, now.height, now.width, {}};
    const auto plane = static_cast<std::size_t>(now.width) * static_cast<std::size_t>(now.height);
    pixels.values.resize(plane * 3);
    for (std::size_t c = 0; c < 3; ++c) {
        const auto table = value_table(preprocessing, c);
        for (std::size_t i = 0; i < plane; ++i) pixels.values[c * plane + i] = table[now.bytes[3 * i + c]];
    }
    return pixels;
}

}  // namespace rootstock
