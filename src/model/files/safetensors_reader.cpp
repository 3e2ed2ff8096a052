#include <algorithm>
#include <cstring>

#include "model/files/mapped_file.h"
#include "model/files/safetensors.h"

namespace rootstock {

namespace {

constexpr std::uint64_t kHeaderMax = 100'000'000;
constexpr const char* kFetchAgain = "; the file is damaged or incomplete: fetch it again";

struct Entry {
    std::string name;
    Dtype dtype;
    std::vector<std::int64_t> shape;
    std::uint64_t begin, end;
};

// Reads one file; holds what every sentence needs: the file's name.
class Reader {
public:
    Reader(std::span<const std::byte> bytes, std::string_view what, std::shared_ptr<const void> owner)
        : bytes_(bytes), what_(what), owner_(std::move(owner)) {}
    Result<Safetensors> read();

private:
    std::unexpected<Error> corrupt(const std::string& what) const {
        return fail(ErrorCode::corrupt, what_ + " " + what + kFetchAgain);
    }
    Result<std::string_view> header(std::span<const std::byte> file) const;
    Result<Entry> entry(std::string_view name, const json::value& value) const;
    Result<std::vector<std::int64_t>> shape(std::string_view name, const json::value* value) const;
    Result<void> check_cover(std::vector<Entry>& entries, std::uint64_t buffer_size) const;
    Result<void> add_metadata(const json::value& value, Safetensors& result) const;

    std::span<const std::byte> bytes_;
    std::string what_;
    std::shared_ptr<const void> owner_;
};

Result<std::string_view> Reader::header(std::span<const std::byte> file) const {
    std::uint64_t length = 0;
    if (file.size() < sizeof(length))
        return corrupt("holds " + std::to_string(file.size()) + " bytes, too few for a safetensors header");
    std::memcpy(&length, file.data(), sizeof(length));
    if (length > kHeaderMax) return corrupt("does not begin with a safetensors header");
    if (length > file.size() - sizeof(length))
        return corrupt("ends after " + std::to_string(file.size()) + " bytes, inside its header");
    std::string_view text(reinterpret_cast<const char*>(file.data()) + sizeof(length), length);
    if (!text.starts_with('{')) return corrupt("has a header that is not a JSON object");
    return text;
}

Result<std::vector<std::int64_t>> Reader::shape(std::string_view name, const json::value* value) const {
    const auto* array = value ? value->if_array() : nullptr;
    if (!array) return corrupt("gives tensor \"" + std::string(name) + "\" no shape");
    std::vector<std::int64_t> shape;
    for (const auto& extent : *array) {
        const auto* number = extent.if_int64();
        if (!number || *number < 0) return corrupt("gives tensor \"" + std::string(name) + "\" a shape that is none");
        shape.push_back(*number);
    }
    return shape;
}

// Bytes of a tensor, or nothing when the product leaves 64 bits.
std::optional<std::uint64_t> bytes_of(Dtype dtype, const std::vector<std::int64_t>& shape) {
    std::uint64_t bytes = size_of(dtype);
    for (auto extent : shape)
        if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return std::nullopt;
    return bytes;
}

std::optional<std::uint64_t> offset(const json::value& value) {
    const auto* number = value.if_int64();
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

Result<Entry> Reader::entry(std::string_view name, const json::value& value) const {
    const auto tensor = "tensor \"" + std::string(name.substr(0, 200)) + "\"";
    const auto* object = value.if_object();
    const auto* dtype_text = object ? object->if_contains("dtype") : nullptr;
    const auto* offsets = object ? object->if_contains("data_offsets") : nullptr;
    if (!dtype_text || !dtype_text->is_string() || !offsets || !offsets->is_array() ||
        offsets->as_array().size() != 2 || object->size() != 3)
        return corrupt("describes " + tensor + " without exactly dtype, shape and data_offsets");
    auto dtype = dtype_from_name(dtype_text->as_string());
    if (!dtype) return fail(dtype.error().code, what_ + ": " + tensor + ": " + dtype.error().message);
    ROOTSTOCK_TRY(extents, shape(name, object->if_contains("shape")));
    const auto begin = offset(offsets->as_array()[0]), end = offset(offsets->as_array()[1]);
    const auto bytes = bytes_of(*dtype, extents);
    if (!begin || !end || *begin > *end || !bytes || *end - *begin != *bytes)
        return corrupt("gives " + tensor + " a place that does not fit its shape " + shape_text(extents));
    return Entry{std::string(name), *dtype, std::move(extents), *begin, *end};
}

// Sorted by place, each entry must begin where the one before ended, and the last must end with the file.
Result<void> Reader::check_cover(std::vector<Entry>& entries, std::uint64_t buffer_size) const {
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t at = 0;
    for (const auto& entry : entries) {
        if (entry.begin != at)
            return corrupt("leaves a hole or overlaps before tensor \"" + entry.name.substr(0, 200) + "\"");
        at = entry.end;
    }
    if (at > buffer_size)
        return corrupt("is cut short: its tensors need " + std::to_string(at) + " bytes, " +
                       std::to_string(buffer_size) + " are there");
    if (at < buffer_size) return corrupt("has " + std::to_string(buffer_size - at) + " bytes after its last tensor");
    return {};
}

Result<void> Reader::add_metadata(const json::value& value, Safetensors& result) const {
    const auto* object = value.if_object();
    if (!object) return corrupt("has metadata that is not an object");
    for (const auto& field : *object) {
        if (!field.value().is_string()) return corrupt("has metadata that is not text");
        result.metadata.emplace(field.key(), field.value().as_string());
    }
    return {};
}

// Old files may leave a tensor off its natural boundary; such a one is copied to memory of its own.
HostTensor tensor_at(const Entry& entry, std::span<const std::byte> buffer, std::shared_ptr<const void> file) {
    HostTensor tensor{entry.dtype, entry.shape, buffer.subspan(entry.begin, entry.end - entry.begin), std::move(file)};
    if (reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size_of(entry.dtype) == 0) return tensor;
    auto owned = std::make_shared<std::vector<std::byte>>(tensor.bytes.begin(), tensor.bytes.end());
    tensor.bytes = *owned;
    tensor.owner = std::move(owned);
    return tensor;
}

Result<Safetensors> Reader::read() {
    ROOTSTOCK_TRY(text, header(bytes_));
    const auto parsed = parse_json(text, "the header", {.depth_max = 8});
    if (!parsed) return corrupt("has a header we cannot read: " + parsed.error().message);
    Safetensors result;
    std::vector<Entry> entries;
    for (const auto& field : parsed->as_object()) {
        if (field.key() == "__metadata__") {
            ROOTSTOCK_CHECKED(add_metadata(field.value(), result));
            continue;
        }
        ROOTSTOCK_TRY(one, entry(field.key(), field.value()));
        entries.push_back(std::move(one));
    }
    const auto buffer = bytes_.subspan(sizeof(std::uint64_t) + text.size());
    ROOTSTOCK_CHECKED(check_cover(entries, buffer.size()));
    for (const auto& one : entries) result.tensors.emplace(one.name, tensor_at(one, buffer, owner_));
    return result;
}

}  // namespace

Result<Safetensors> parse_safetensors(std::span<const std::byte> bytes, std::string_view what,
                                      std::shared_ptr<const void> owner) {
    return Reader(bytes, what, std::move(owner)).read();
}

Result<Safetensors> read_safetensors(const std::filesystem::path& path) {
    ROOTSTOCK_TRY(file, MappedFile::open(path));
    ROOTSTOCK_TRY(read, parse_safetensors(file->bytes(), path.string(), file));
    read.file = file;
    return read;
}

}  // namespace rootstock
