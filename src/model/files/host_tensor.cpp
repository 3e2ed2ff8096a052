#include "model/files/host_tensor.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace rootstock {

namespace {

struct DtypeFact {
    const char* name;
    std::size_t size;
};

constexpr std::array<DtypeFact, 15> kDtypes{{{"BOOL", 1},
                                             {"U8", 1},
                                             {"I8", 1},
                                             {"F8_E5M2", 1},
                                             {"F8_E4M3", 1},
                                             {"I16", 2},
                                             {"U16", 2},
                                             {"F16", 2},
                                             {"BF16", 2},
                                             {"I32", 4},
                                             {"U32", 4},
                                             {"F32", 4},
                                             {"F64", 8},
                                             {"I64", 8},
                                             {"U64", 8}}};

template <typename Stored, typename Convert>
void convert(std::span<const std::byte> bytes, std::span<float> out, Convert to_float) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
        out[i] = to_float(stored);
    }
}

}  // namespace

std::size_t size_of(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].size; }

const char* name(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].name; }

Result<Dtype> dtype_from_name(std::string_view text) {
    for (std::size_t i = 0; i < kDtypes.size(); ++i)
        if (text == kDtypes[i].name) return static_cast<Dtype>(i);
    return fail(ErrorCode::unsupported,
                "the element type \"" + std::string(text.substr(0, 40)) + "\" is not supported");
}

std::int64_t HostTensor::elements() const {
    std::int64_t count = 1;
    for (auto extent : shape) count *= extent;
    return count;
}

std::span<const float> HostTensor::floats() const {
    ROOTSTOCK_CHECK(dtype == Dtype::f32, "only an fp32 tensor can be seen as floats");
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

void copy_as_floats(const HostTensor& tensor, std::span<float> out) {
    ROOTSTOCK_CHECK(static_cast<std::int64_t>(out.size()) == tensor.elements(), "the place fits the tensor");
    switch (tensor.dtype) {
        case Dtype::f32:
            if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
            return;
        case Dtype::f16:
            return convert<std::uint16_t>(tensor.bytes, out, f16_to_float);
        case Dtype::bf16:
            return convert<std::uint16_t>(tensor.bytes, out, bf16_to_float);
        case Dtype::f64:
            return convert<double>(tensor.bytes, out, [](double value) { return static_cast<float>(value); });
        default:
            ROOTSTOCK_CHECK(false, "weights are floating-point numbers");
    }
}

std::vector<float> to_floats(const HostTensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    copy_as_floats(tensor, values);
    return values;
}

HostTensor make_tensor(std::vector<std::int64_t> shape, std::span<const float> values) {
    auto owned = std::make_shared<std::vector<float>>(values.begin(), values.end());
    HostTensor tensor{Dtype::f32, std::move(shape), std::as_bytes(std::span<const float>(*owned)), owned};
    ROOTSTOCK_CHECK(tensor.elements() == static_cast<std::int64_t>(values.size()), "the values fill the shape");
    return tensor;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

float bf16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t float_to_bf16(float value) {
    auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    bits += 0x7fffu + ((bits >> 16) & 1u);
    return static_cast<std::uint16_t>(bits >> 16);
}

float f16_to_float(std::uint16_t bits) {
    const float sign = (bits & 0x8000u) ? -1.0f : 1.0f;
    const int exponent = (bits >> 10) & 0x1f;
    const float fraction = static_cast<float>(bits & 0x3ffu);
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
    return sign * std::ldexp(1024.0f + fraction, exponent - 25);
}

}  // namespace rootstock
