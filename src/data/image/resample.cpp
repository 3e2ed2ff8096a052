// Resampling as Pillow does it (libImaging/Resample.c). An output pixel at x lies over the source at
// (x + 0.5) * scale; the filter around this centre, widened by the scale when the image shrinks, gives each source
// pixel its weight, and the weights of one output pixel sum to one. The weights become whole numbers of 2^-22, so that
// 8-bit values times weights fit into 32 bits. Columns come first, rows second; between the two passes, values are
// rounded to 8 bits. A pass that would not change its side is left out.

#include "data/image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rootstock {
namespace {

constexpr int weight_bits = 32 - 8 - 2;

struct Filter {
    double (*weight)(double);
    double reach;  // the weight is zero farther from the centre
};

double box(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }

double triangle(double x) {
    x = std::abs(x);
    return x < 1 ? 1 - x : 0;
}

double hamming(double x) {
    x = std::abs(x);
    if (x == 0) return 1;
    if (x >= 1) return 0;
    x *= std::numbers::pi;
    return std::sin(x) / x * (0.54 + 0.46 * std::cos(x));
}

// Keys, 1981, with a = -0.5.
double cubic(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

double sinc(double x) {
    if (x == 0) return 1;
    x *= std::numbers::pi;
    return std::sin(x) / x;
}

double lanczos(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

Filter filter_of(Resampling resampling) {
    switch (resampling) {
        case Resampling::lanczos:
            return {lanczos, 3};
        case Resampling::bilinear:
            return {triangle, 1};
        case Resampling::bicubic:
            return {cubic, 2};
        case Resampling::box:
            return {box, 0.5};
        case Resampling::hamming:
            return {hamming, 1};
        case Resampling::nearest:
            break;
    }
    ROOTSTOCK_CHECK(false, "the nearest pixel needs no filter");
}

// The source pixels under one output pixel, and where their weights begin in `weights`.
struct Window {
    std::size_t first = 0, count = 0, weights = 0;
};

struct Plan {
    std::vector<Window> windows;
    std::vector<std::int32_t> weights;
};

Plan plan_pass(std::int32_t from, std::int32_t to, const Filter& filter) {
    const double scale = static_cast<double>(from) / to, widened = std::max(scale, 1.0);
    const double reach = filter.reach * widened, narrowing = 1.0 / widened;
    Plan plan;
    std::vector<double> weights;
    for (std::int32_t i = 0; i < to; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(static_cast<int>(centre - reach + 0.5), 0);
        const int last = std::min(static_cast<int>(centre + reach + 0.5), from);
        double sum = 0;
        weights.clear();
        for (int x = 0; x < last - first; ++x) {
            weights.push_back(filter.weight((x + first - centre + 0.5) * narrowing));
            sum += weights.back();
        }
        plan.windows.push_back({static_cast<std::size_t>(first), weights.size(), plan.weights.size()});
        for (double weight : weights) {
            if (sum != 0) weight /= sum;
            plan.weights.push_back(static_cast<std::int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << weight_bits)));
        }
    }
    return plan;
}

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255)); }

constexpr std::int32_t half = 1 << (weight_bits - 1);

Image resize_columns(const Image& image, std::int32_t width, const Filter& filter) {
    const auto plan = plan_pass(image.width, width, filter);
    Image wide{width, image.height, image.channels, {}};
    wide.bytes.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(image.height) * 3);
    const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
    auto* to = wide.bytes.data();
    for (const auto *row = image.bytes.data(), *end = row + image.bytes.size(); row < end; row += stride)
        for (const auto& window : plan.windows) {
            std::int32_t red = half, green = half, blue = half;
            const auto* from = row + window.first * 3;
            const auto* weight = plan.weights.data() + window.weights;
            for (std::size_t i = 0; i < window.count; ++i, from += 3) {
                red += from[0] * weight[i];
                green += from[1] * weight[i];
                blue += from[2] * weight[i];
            }
            *to++ = to_byte(red), *to++ = to_byte(green), *to++ = to_byte(blue);
        }
    return wide;
}

Image resize_rows(const Image& image, std::int32_t height, const Filter& filter) {
    const auto plan = plan_pass(image.height, height, filter);
    const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
    Image tall{image.width, height, image.channels, {}};
    tall.bytes.resize(stride * static_cast<std::size_t>(height));
    std::vector<std::int32_t> sums(stride);
    auto* to = tall.bytes.data();
    for (const auto& window : plan.windows) {
        std::ranges::fill(sums, half);
        for (std::size_t i = 0; i < window.count; ++i) {
            const auto* from = image.bytes.data() + (window.first + i) * stride;
            const std::int32_t weight = plan.weights[window.weights + i];
            for (std::size_t x = 0; x < stride; ++x) sums[x] += from[x] * weight;
        }
        for (auto sum : sums) *to++ = to_byte(sum);
    }
    return tall;
}

// Pillow steps from pixel to pixel by addition, so this does too: the sums differ from products in their last bits.
std::vector<std::size_t> nearest_places(std::int32_t from, std::int32_t to) {
    const double step = static_cast<double>(from) / to;
    std::vector<std::size_t> places;
    double at = step * 0.5;
    for (std::int32_t i = 0; i < to; ++i, at += step)
        places.push_back(std::min(static_cast<std::size_t>(at), static_cast<std::size_t>(from - 1)));
    return places;
}

Image take_nearest(const Image& image, std::int32_t width, std::int32_t height) {
    const auto columns = nearest_places(image.width, width), rows = nearest_places(image.height, height);
    Image taken{width, height, image.channels, {}};
    taken.bytes.reserve(columns.size() * rows.size() * 3);
    for (auto y : rows)
        for (auto x : columns) {
            auto pixel =
                image.bytes.begin() + static_cast<std::ptrdiff_t>((y * static_cast<std::size_t>(image.width) + x) * 3);
            taken.bytes.insert(taken.bytes.end(), pixel, pixel + 3);
        }
    return taken;
}

}  // namespace

Image resize_image(const Image& image, std::int32_t width, std::int32_t height, Resampling resampling) {
    ROOTSTOCK_CHECK(image.channels == 3 && width > 0 && height > 0, "an RGB image and a size");
    if (width == image.width && height == image.height) return image;
    if (resampling == Resampling::nearest) return take_nearest(image, width, height);
    const auto filter = filter_of(resampling);
    if (width == image.width) return resize_rows(image, height, filter);
    auto wide = resize_columns(image, width, filter);
    return height == image.height ? wide : resize_rows(wide, height, filter);
}

}  // namespace rootstock
