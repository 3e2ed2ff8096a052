#pragma once
// GGUF files (ggml), versions 2 and 3, little-endian, read through mmap and written whole.
//
//   "GGUF" | u32 version | u64 tensors | u64 key-values | key-values | tensor infos | padding | data
//   key-value    string key | u32 type | value; an array is u32 type | u64 count | values; a string u64 length | bytes
//   tensor info  string name | u32 dimensions | u64 each, the fastest first | u32 type | u64 offset from the data
//
// The data and each tensor begin at a multiple of general.alignment (32 unless said). The reader checks every count,
// length, dimension and place against the bytes that are there before it takes memory for them.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/base.h"
#include "model/files/host_tensor.h"

namespace rootstock {

class MappedFile;

// The types of values, numbered as files number them.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
const char* name(GgufType type);  // "u32"

// A value, or the elements of an array of one type; numbers of any width stand in the widest of their kind.
struct GgufValue {
    using Content =
        std::variant<std::uint64_t, std::int64_t, double, bool, std::string, std::vector<std::uint64_t>,
                     std::vector<std::int64_t>, std::vector<double>, std::vector<bool>, std::vector<std::string>>;
    GgufType type = GgufType::u32;  // of the value; of the elements when `is_array`
    bool is_array = false;
    Content content;

    static GgufValue of_u32(std::uint32_t value) { return {GgufType::u32, false, std::uint64_t{value}}; }
    static GgufValue of_f32(double value) { return {GgufType::f32, false, value}; }
    static GgufValue of_bool(bool value) { return {GgufType::boolean, false, value}; }
    static GgufValue of_string(std::string value) { return {GgufType::string, false, std::move(value)}; }
    static GgufValue of_strings(std::vector<std::string> value) { return {GgufType::string, true, std::move(value)}; }
    static GgufValue of_i32s(std::vector<std::int64_t> value) { return {GgufType::i32, true, std::move(value)}; }
    static GgufValue of_f32s(std::vector<double> value) { return {GgufType::f32, true, std::move(value)}; }
};

struct Gguf {
    std::uint32_t version = 3;
    std::map<std::string, GgufValue, std::less<>> values;
    std::map<std::string, HostTensor, std::less<>> tensors;  // shapes row-major, as everywhere here
    std::shared_ptr<const MappedFile> file;                  // null: of memory

    // What stands under a key, in the kind asked for (any integer type, or a float, gives a number); nothing when it is
    // absent or of another kind.
    std::optional<std::int64_t> integer(std::string_view key) const;
    std::optional<double> number(std::string_view key) const;
    std::optional<bool> flag(std::string_view key) const;
    const std::string* text(std::string_view key) const;
    const std::vector<std::string>* texts(std::string_view key) const;
    std::vector<std::int64_t> integers(std::string_view key) const;  // of an array; empty otherwise
    std::vector<double> numbers(std::string_view key) const;
};

// Reads a file that stands in memory; tensors point into `bytes` and hold `owner`. `what` names it in sentences.
// corrupt: the bytes contradict themselves or end too early; unsupported: another version or byte order, a tensor type
// or a nested array that we do not read, by name; too_large: beyond 2^22 array elements or 2^16 keys.
Result<Gguf> parse_gguf(std::span<const std::byte> bytes, std::string_view what,
                        std::shared_ptr<const void> owner = {});

// not_found, or as parse_gguf.
Result<Gguf> read_gguf(const std::filesystem::path& path);

// Writes version 3 to a temporary name, syncs, renames, reads it back and compares (corrupt when a byte differs).
// Tensors stand in the order given; each is of a type GGUF knows (asserted).
using GgufTensors = std::vector<std::pair<std::string, HostTensor>>;
Result<void> write_gguf(const std::filesystem::path& path, const std::map<std::string, GgufValue, std::less<>>& values,
                        const GgufTensors& tensors);

// The number of a type in files (GGML's), and back; nothing for a type that one of the two does not know.
std::optional<std::uint32_t> ggml_number(Dtype dtype);
std::optional<Dtype> dtype_from_ggml(std::uint32_t number);

}  // namespace rootstock
