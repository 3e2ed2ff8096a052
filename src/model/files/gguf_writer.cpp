#include <algorithm>
#include <cstring>

#include "model/files/gguf.h"
#include "model/files/mapped_file.h"
#include "model/files/written_file.h"

namespace rootstock {

namespace {

constexpr std::uint64_t kAlignment = 32;

template <typename T>
void put(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void put_string(std::string& bytes, std::string_view text) {
    put<std::uint64_t>(bytes, text.size());
    bytes += text;
}

// One element, in the width of its type.
struct PutScalar {
    std::string& bytes;
    GgufType type;

    void operator()(std::uint64_t value) const {
        if (type == GgufType::u8) return put(bytes, static_cast<std::uint8_t>(value));
        if (type == GgufType::u16) return put(bytes, static_cast<std::uint16_t>(value));
        if (type == GgufType::u32) return put(bytes, static_cast<std::uint32_t>(value));
        put(bytes, value);
    }
    void operator()(std::int64_t value) const {
        if (type == GgufType::i8) return put(bytes, static_cast<std::int8_t>(value));
        if (type == GgufType::i16) return put(bytes, static_cast<std::int16_t>(value));
        if (type == GgufType::i32) return put(bytes, static_cast<std::int32_t>(value));
        put(bytes, value);
    }
    void operator()(double value) const {
        if (type == GgufType::f32) return put(bytes, static_cast<float>(value));
        put(bytes, value);
    }
    void operator()(bool value) const { put(bytes, static_cast<std::uint8_t>(value)); }
    void operator()(const std::string& value) const { put_string(bytes, value); }
    template <typename T>
    void operator()(const std::vector<T>& list) const {
        put(bytes, static_cast<std::uint32_t>(type));
        put<std::uint64_t>(bytes, list.size());
        for (const auto& item : list) (*this)(static_cast<T>(item));
    }
};

void put_value(std::string& bytes, const GgufValue& value) {
    put(bytes, static_cast<std::uint32_t>(value.is_array ? GgufType::array : value.type));
    std::visit(PutScalar{bytes, value.type}, value.content);
}

std::uint64_t padded(std::uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

std::string header_of(const std::map<std::string, GgufValue, std::less<>>& values, const GgufTensors& tensors) {
    std::string bytes = "GGUF";
    put<std::uint32_t>(bytes, 3);
    put<std::uint64_t>(bytes, tensors.size());
    put<std::uint64_t>(bytes, values.size());
    for (const auto& [key, value] : values) {
        put_string(bytes, key);
        put_value(bytes, value);
    }
    std::uint64_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
        const auto number = ggml_number(tensor.dtype);
        ROOTSTOCK_CHECK(number.has_value(), "the tensor has a type that GGUF knows");
        put_string(bytes, name);
        put(bytes, static_cast<std::uint32_t>(tensor.shape.size()));
        for (auto extent = tensor.shape.rbegin(); extent != tensor.shape.rend(); ++extent)
            put(bytes, static_cast<std::uint64_t>(*extent));
        put(bytes, *number);
        put(bytes, offset);
        offset += padded(tensor.bytes.size());
    }
    bytes.resize(padded(bytes.size()), '\0');
    return bytes;
}

}  // namespace

Result<void> write_gguf(const std::filesystem::path& path, const std::map<std::string, GgufValue, std::less<>>& values,
                        const GgufTensors& tensors) {
    static constexpr char kZeros[kAlignment] = {};
    const auto header = header_of(values, tensors);
    std::vector<std::string_view> pieces{header};
    for (const auto& [name, tensor] : tensors) {
        const auto size = tensor.bytes.size();
        pieces.emplace_back(reinterpret_cast<const char*>(tensor.bytes.data()), size);
        pieces.emplace_back(kZeros, padded(size) - size);
    }
    ROOTSTOCK_CHECKED(write_pieces(path, pieces));
    ROOTSTOCK_CHECKED(read_gguf(path));
    return {};
}

}  // namespace rootstock
