// Values of a GGUF file: their types, and how they are asked for.

#include <array>
#include <limits>

#include "model/files/gguf.h"

namespace rootstock {

namespace {

constexpr std::array<const char*, 13> kTypeNames{"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                 "bool", "string", "array", "u64", "i64", "f64"};

struct Number {
    std::uint32_t number;
    Dtype dtype;
};
constexpr Number kNumbers[] = {{0, Dtype::f32},   {1, Dtype::f16},   {2, Dtype::q4_0}, {3, Dtype::q4_1},
                               {6, Dtype::q5_0},  {7, Dtype::q5_1},  {8, Dtype::q8_0}, {12, Dtype::q4_k},
                               {13, Dtype::q5_k}, {14, Dtype::q6_k}, {24, Dtype::i8},  {25, Dtype::i16},
                               {26, Dtype::i32},  {27, Dtype::i64},  {28, Dtype::f64}, {30, Dtype::bf16}};

const GgufValue* find(const Gguf& gguf, std::string_view key) {
    const auto place = gguf.values.find(key);
    return place == gguf.values.end() ? nullptr : &place->second;
}

template <typename T>
const T* content(const Gguf& gguf, std::string_view key) {
    const auto* value = find(gguf, key);
    return value ? std::get_if<T>(&value->content) : nullptr;
}

}  // namespace

const char* name(GgufType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

std::optional<std::uint32_t> ggml_number(Dtype dtype) {
    for (const auto& entry : kNumbers)
        if (entry.dtype == dtype) return entry.number;
    return std::nullopt;
}

std::optional<Dtype> dtype_from_ggml(std::uint32_t number) {
    for (const auto& entry : kNumbers)
        if (entry.number == number) return entry.dtype;
    return std::nullopt;
}

std::optional<std::int64_t> Gguf::integer(std::string_view key) const {
    if (const auto* value = content<std::int64_t>(*this, key)) return *value;
    const auto* value = content<std::uint64_t>(*this, key);
    if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

std::optional<double> Gguf::number(std::string_view key) const {
    if (const auto* value = content<double>(*this, key)) return *value;
    const auto value = integer(key);
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

std::optional<bool> Gguf::flag(std::string_view key) const {
    const auto* value = content<bool>(*this, key);
    return value ? std::optional(*value) : std::nullopt;
}

const std::string* Gguf::text(std::string_view key) const { return content<std::string>(*this, key); }

const std::vector<std::string>* Gguf::texts(std::string_view key) const {
    return content<std::vector<std::string>>(*this, key);
}

std::vector<std::int64_t> Gguf::integers(std::string_view key) const {
    if (const auto* value = content<std::vector<std::int64_t>>(*this, key)) return *value;
    const auto* value = content<std::vector<std::uint64_t>>(*this, key);
    return value ? std::vector<std::int64_t>(value->begin(), value->end()) : std::vector<std::int64_t>{};
}

std::vector<double> Gguf::numbers(std::string_view key) const {
    const auto* value = content<std::vector<double>>(*this, key);
    return value ? *value : std::vector<double>{};
}

}  // namespace rootstock
