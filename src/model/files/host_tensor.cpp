#include "model/files/host_tensor.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "model/files/blocks.h"

namespace rootstock {

namespace {

struct DtypeFact {
    const char* name;
    std::int64_t elements;  // of a block
    std::size_t bytes;      // of a block
};

constexpr std::size_t kPlainTypes = 15;  // one element a block; safetensors knows these
constexpr std::array<DtypeFact, 23> kDtypes{
    {{"BOOL", 1, 1},   {"U8", 1, 1},     {"I8", 1, 1},       {"F8_E5M2", 1, 1},  {"F8_E4M3", 1, 1}, {"I16", 1, 2},
     {"U16", 1, 2},    {"F16", 1, 2},    {"BF16", 1, 2},     {"I32", 1, 4},      {"U32", 1, 4},     {"F32", 1, 4},
     {"F64", 1, 8},    {"I64", 1, 8},    {"U64", 1, 8},      {"Q4_0", 32, 18},   {"Q4_1", 32, 20},  {"Q5_0", 32, 22},
     {"Q5_1", 32, 24}, {"Q8_0", 32, 34}, {"Q4_K", 256, 144}, {"Q5_K", 256, 176}, {"Q6_K", 256, 210}}};

const DtypeFact& fact(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)]; }

template <typename Stored, typename Convert>
void convert(std::span<const std::byte> bytes, std::span<float> out, Convert to_float) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
        out[i] = to_float(stored);
    }
}

template <typename Convert>
void narrow(std::span<const float> values, std::span<std::byte> out, Convert to_bits) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t bits = to_bits(values[i]);
        std::memcpy(out.data() + i * sizeof(bits), &bits, sizeof(bits));
    }
}

}  // namespace

bool is_blocks(Dtype dtype) { return fact(dtype).elements > 1; }

bool is_weight(Dtype dtype) {
    return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16 || is_blocks(dtype);
}

std::size_t size_of(Dtype dtype) {
    ROOTSTOCK_CHECK(!is_blocks(dtype), "an element of a block has no bytes of its own");
    return fact(dtype).bytes;
}

std::int64_t block_elements(Dtype dtype) { return fact(dtype).elements; }

std::size_t block_bytes(Dtype dtype) { return fact(dtype).bytes; }

const char* name(Dtype dtype) { return fact(dtype).name; }

Result<Dtype> dtype_from_name(std::string_view text) {
    for (std::size_t i = 0; i < kPlainTypes; ++i)
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
            ROOTSTOCK_CHECK(is_blocks(tensor.dtype), "weights are floating-point numbers");
            return decode_blocks(tensor.dtype, tensor.bytes, out);
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

HostTensor make_tensor(Dtype dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes) {
    auto owned = std::make_shared<std::vector<std::byte>>(std::move(bytes));
    return {dtype, std::move(shape), *owned, owned};
}

HostTensor converted(const HostTensor& tensor, Dtype dtype) {
    if (tensor.dtype == dtype) return tensor;
    std::vector<float> copy;
    if (tensor.dtype != Dtype::f32) copy = to_floats(tensor);
    const auto values = tensor.dtype == Dtype::f32 ? tensor.floats() : std::span<const float>(copy);
    if (dtype == Dtype::f32) return make_tensor(tensor.shape, values);
    const auto blocks = values.size() / static_cast<std::size_t>(block_elements(dtype));
    std::vector<std::byte> bytes(blocks * block_bytes(dtype));
    if (dtype == Dtype::f16)
        narrow(values, bytes, float_to_f16);
    else if (dtype == Dtype::bf16)
        narrow(values, bytes, float_to_bf16);
    else
        encode_blocks(dtype, values, bytes);
    return make_tensor(dtype, tensor.shape, std::move(bytes));
}

HostTensor row_of(const HostTensor& matrix, std::int64_t index) {
    ROOTSTOCK_CHECK(matrix.shape.size() == 2 && index >= 0 && index < matrix.shape[0], "the row is one of the matrix");
    const auto size = matrix.bytes.size() / static_cast<std::size_t>(matrix.shape[0]);
    return {matrix.dtype,
            {matrix.shape[1]},
            matrix.bytes.subspan(static_cast<std::size_t>(index) * size, size),
            matrix.owner};
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
    const std::uint32_t sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    const auto normal = (magnitude << 13) + (112u << 23);  // the exponent's bias is 15 there, 127 here
    const auto small = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
    const auto special = (magnitude << 13) | 0x7f800000u;
    const auto value = magnitude < 0x0400u ? small : magnitude < 0x7c00u ? normal : special;
    return std::bit_cast<float>(sign | value);
}

std::uint16_t float_to_f16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    auto magnitude = bits & 0x7fffffffu;
    std::uint32_t half;
    if (magnitude > 0x7f800000u)  // not a number
        half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    else if (magnitude >= 0x477ff000u)  // 65520 and beyond round to infinity
        half = 0x7c00u;
    else if (magnitude < 0x38800000u)  // below 2^-14: in units of 2^-24, which are those of a float next to a half
        half =
            std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<std::uint32_t>(0.5f);
    else
        half = (magnitude + 0xfffu + ((magnitude >> 13) & 1u) - (112u << 23)) >> 13;
    return static_cast<std::uint16_t>(sign | half);
}

}  // namespace rootstock
