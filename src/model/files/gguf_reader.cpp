#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "model/files/gguf.h"
#include "model/files/mapped_file.h"

namespace rootstock {

namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint64_t kKeysMax = 1 << 16;
constexpr std::uint64_t kElementsMax = 1 << 22;  // of all arrays together: the largest vocabularies have 2^19 entries
constexpr std::uint64_t kNameMax = 1024;
constexpr std::uint32_t kDimensionsMax = 4;
constexpr std::uint64_t kAlignmentDefault = 32, kAlignmentMax = 1 << 20;
constexpr std::size_t kInfoBytesMin = 8 + 4 + 4 + 8;  // of a tensor info
constexpr std::size_t kKeyValueBytesMin = 8 + 4 + 1;  // of a key-value
constexpr const char* kFetchAgain = "; the file is damaged or incomplete: fetch it again";

// Types of ggml that stand in files of others and not in kNumbers.
constexpr std::array<const char*, 40> kForeignTypes{
    "",       "",         "",         "",         "Q4_2",  "Q4_3",  "",           "",           "",           "Q8_1",
    "Q2_K",   "Q3_K",     "",         "",         "",      "Q8_K",  "IQ2_XXS",    "IQ2_XS",     "IQ3_XXS",    "IQ1_S",
    "IQ4_NL", "IQ3_S",    "IQ2_S",    "IQ4_XS",   "",      "",      "",           "",           "",           "IQ1_M",
    "",       "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4"};

// A tensor as its info describes it.
struct Info {
    std::string name;
    Dtype dtype;
    std::vector<std::int64_t> shape;
    std::uint64_t offset, bytes;
};

class Reader {
public:
    Reader(std::span<const std::byte> bytes, std::string_view what, std::shared_ptr<const void> owner)
        : bytes_(bytes), what_(what), owner_(std::move(owner)) {}
    Result<Gguf> read();

private:
    std::unexpected<Error> corrupt(const std::string& sentence) const {
        return fail(ErrorCode::corrupt, what_ + " " + sentence + kFetchAgain);
    }
    std::unexpected<Error> unsupported(const std::string& sentence) const {
        return fail(ErrorCode::unsupported, what_ + " " + sentence);
    }
    std::uint64_t left() const { return bytes_.size() - at_; }

    template <typename T>
    Result<T> take();
    Result<std::string> take_string(std::uint64_t longest, const char* part);
    Result<GgufType> take_type();
    Result<void> head(Gguf& gguf);
    Result<GgufValue> scalar(GgufType type, const std::string& key);
    Result<GgufValue> array(const std::string& key);
    template <typename Stored, typename Kept>
    Result<GgufValue> one(GgufType type);
    template <typename Stored, typename Kept>
    Result<GgufValue> many(GgufType type, std::uint64_t count);
    Result<GgufValue> many_strings(std::uint64_t count);
    Result<void> key_values(Gguf& gguf);
    Result<std::uint64_t> alignment(const Gguf& gguf) const;
    Result<Info> info(std::uint64_t alignment);
    Result<std::vector<std::int64_t>> dimensions(const std::string& name);
    Result<Dtype> tensor_type(const std::string& name);
    Result<std::uint64_t> size_of_data(const Info& info) const;
    Result<void> check_places(std::vector<Info>& infos, std::uint64_t data) const;
    HostTensor tensor_at(const Info& info, std::span<const std::byte> data) const;

    std::span<const std::byte> bytes_;
    std::string what_;
    std::shared_ptr<const void> owner_;
    std::uint64_t at_ = 0, keys_ = 0, tensors_ = 0, elements_ = 0;
};

template <typename T>
Result<T> Reader::take() {
    if (left() < sizeof(T)) return corrupt("ends after " + std::to_string(bytes_.size()) + " bytes, inside its header");
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
}

Result<std::string> Reader::take_string(std::uint64_t longest, const char* part) {
    ROOTSTOCK_TRY(length, take<std::uint64_t>());
    if (length > left()) return corrupt("has a " + std::string(part) + " that ends beyond the file");
    if (length > longest)
        return corrupt("has a " + std::string(part) + " of " + std::to_string(length) + " bytes, which is no " + part);
    std::string text(reinterpret_cast<const char*>(bytes_.data()) + at_, length);
    at_ += length;
    return text;
}

Result<GgufType> Reader::take_type() {
    ROOTSTOCK_TRY(number, take<std::uint32_t>());
    if (number > static_cast<std::uint32_t>(GgufType::f64))
        return corrupt("has a value of the unknown type " + std::to_string(number));
    return static_cast<GgufType>(number);
}

Result<void> Reader::head(Gguf& gguf) {
    const auto magic = take<std::uint32_t>();
    if (!magic || *magic != kMagic) return corrupt("does not begin with \"GGUF\"; it is no GGUF file");
    ROOTSTOCK_TRY(version, take<std::uint32_t>());
    if ((version & 0xffffu) == 0) return unsupported("is big-endian; convert it to a little-endian file");
    if (version != 2 && version != 3)
        return unsupported("is of GGUF version " + std::to_string(version) +
                           "; versions 2 and 3 are read: convert it with a recent llama.cpp");
    gguf.version = version;
    ROOTSTOCK_TRY(tensors, take<std::uint64_t>());
    ROOTSTOCK_TRY(keys, take<std::uint64_t>());
    tensors_ = tensors, keys_ = keys;
    if (tensors > left() / kInfoBytesMin || keys > left() / kKeyValueBytesMin)
        return corrupt("announces " + std::to_string(tensors) + " tensors and " + std::to_string(keys) +
                       " keys, more than its bytes can hold");
    if (keys > kKeysMax)
        return fail(ErrorCode::too_large, what_ + " has " + std::to_string(keys) + " keys; at most " +
                                              std::to_string(kKeysMax) + " are read");
    return {};
}

template <typename Stored, typename Kept>
Result<GgufValue> Reader::one(GgufType type) {
    ROOTSTOCK_TRY(value, take<Stored>());
    return GgufValue{type, false, static_cast<Kept>(value)};
}

template <typename Stored, typename Kept>
Result<GgufValue> Reader::many(GgufType type, std::uint64_t count) {
    if (count > left() / sizeof(Stored)) return corrupt("has an array that ends beyond the file");
    std::vector<Kept> list;
    list.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) list.push_back(static_cast<Kept>(*take<Stored>()));
    return GgufValue{type, true, std::move(list)};
}

Result<GgufValue> Reader::many_strings(std::uint64_t count) {
    if (count > left() / sizeof(std::uint64_t)) return corrupt("has an array that ends beyond the file");
    std::vector<std::string> list;
    list.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        ROOTSTOCK_TRY(text, take_string(left(), "string"));
        list.push_back(std::move(text));
    }
    return GgufValue{GgufType::string, true, std::move(list)};
}

Result<GgufValue> Reader::array(const std::string& key) {
    ROOTSTOCK_TRY(type, take_type());
    ROOTSTOCK_TRY(count, take<std::uint64_t>());
    if (count > left()) return corrupt("has an array that ends beyond the file");
    if (count > kElementsMax - elements_)
        return fail(ErrorCode::too_large, what_ + ": the arrays up to \"" + key + "\" have more than " +
                                              std::to_string(kElementsMax) +
                                              " elements, which is beyond every vocabulary");
    elements_ += count;
    switch (type) {
        case GgufType::u8:
            return many<std::uint8_t, std::uint64_t>(type, count);
        case GgufType::u16:
            return many<std::uint16_t, std::uint64_t>(type, count);
        case GgufType::u32:
            return many<std::uint32_t, std::uint64_t>(type, count);
        case GgufType::u64:
            return many<std::uint64_t, std::uint64_t>(type, count);
        case GgufType::i8:
            return many<std::int8_t, std::int64_t>(type, count);
        case GgufType::i16:
            return many<std::int16_t, std::int64_t>(type, count);
        case GgufType::i32:
            return many<std::int32_t, std::int64_t>(type, count);
        case GgufType::i64:
            return many<std::int64_t, std::int64_t>(type, count);
        case GgufType::f32:
            return many<float, double>(type, count);
        case GgufType::f64:
            return many<double, double>(type, count);
        case GgufType::boolean:
            return many<std::uint8_t, bool>(type, count);
        case GgufType::string:
            return many_strings(count);
        case GgufType::array:
            return unsupported("holds an array of arrays under \"" + key + "\", which is not supported");
    }
    return corrupt("has an array of an unknown type");
}

Result<GgufValue> Reader::scalar(GgufType type, const std::string& key) {
    switch (type) {
        case GgufType::u8:
            return one<std::uint8_t, std::uint64_t>(type);
        case GgufType::u16:
            return one<std::uint16_t, std::uint64_t>(type);
        case GgufType::u32:
            return one<std::uint32_t, std::uint64_t>(type);
        case GgufType::u64:
            return one<std::uint64_t, std::uint64_t>(type);
        case GgufType::i8:
            return one<std::int8_t, std::int64_t>(type);
        case GgufType::i16:
            return one<std::int16_t, std::int64_t>(type);
        case GgufType::i32:
            return one<std::int32_t, std::int64_t>(type);
        case GgufType::i64:
            return one<std::int64_t, std::int64_t>(type);
        case GgufType::f32:
            return one<float, double>(type);
        case GgufType::f64:
            return one<double, double>(type);
        case GgufType::boolean:
            return one<std::uint8_t, bool>(type);
        case GgufType::string: {
            ROOTSTOCK_TRY(text, take_string(left(), "string"));
            return GgufValue{type, false, std::move(text)};
        }
        case GgufType::array:
            return array(key);
    }
    return corrupt("has a value of an unknown type");
}

Result<void> Reader::key_values(Gguf& gguf) {
    for (std::uint64_t i = 0; i < keys_; ++i) {
        ROOTSTOCK_TRY(key, take_string((1 << 16) - 1, "key"));
        ROOTSTOCK_TRY(type, take_type());
        ROOTSTOCK_TRY(value, scalar(type, key));
        if (!gguf.values.emplace(key, std::move(value)).second) return corrupt("has the key \"" + key + "\" twice");
    }
    return {};
}

Result<std::uint64_t> Reader::alignment(const Gguf& gguf) const {
    const auto place = gguf.values.find("general.alignment");
    if (place == gguf.values.end()) return kAlignmentDefault;
    const auto* number = std::get_if<std::uint64_t>(&place->second.content);
    if (place->second.type != GgufType::u32 || !number || !std::has_single_bit(*number) || *number > kAlignmentMax)
        return corrupt("gives as general.alignment what is no power of two up to 2^20");
    return *number;
}

Result<std::vector<std::int64_t>> Reader::dimensions(const std::string& name) {
    ROOTSTOCK_TRY(count, take<std::uint32_t>());
    if (count > kDimensionsMax)
        return corrupt("gives tensor \"" + name + "\" " + std::to_string(count) + " dimensions; four is the most");
    std::vector<std::int64_t> shape(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        ROOTSTOCK_TRY(extent, take<std::uint64_t>());
        if (extent == 0 || extent > (std::uint64_t{1} << 40))
            return corrupt("gives tensor \"" + name + "\" a dimension of " + std::to_string(extent));
        shape[count - 1 - i] = static_cast<std::int64_t>(extent);
    }
    return shape;
}

Result<Dtype> Reader::tensor_type(const std::string& name) {
    ROOTSTOCK_TRY(number, take<std::uint32_t>());
    if (const auto dtype = dtype_from_ggml(number)) return *dtype;
    const std::string word = number < kForeignTypes.size() ? kForeignTypes[number] : "";
    return unsupported("holds tensor \"" + name + "\" as type " + (word.empty() ? std::to_string(number) : word) +
                       ", which is not supported; take a file in F16, Q8_0 or Q4_K_M");
}

Result<std::uint64_t> Reader::size_of_data(const Info& info) const {
    const auto width = info.shape.empty() ? 1 : info.shape.back(), block = block_elements(info.dtype);
    if (width % block != 0)
        return corrupt("gives tensor \"" + info.name + "\" rows of " + std::to_string(width) + " elements, but " +
                       name(info.dtype) + " needs a multiple of " + std::to_string(block));
    std::uint64_t bytes = static_cast<std::uint64_t>(width / block) * block_bytes(info.dtype);
    for (std::size_t i = 0; i + 1 < info.shape.size(); ++i)
        if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(info.shape[i]), &bytes))
            return corrupt("gives tensor \"" + info.name + "\" more bytes than can be counted");
    return bytes;
}

Result<Info> Reader::info(std::uint64_t alignment) {
    ROOTSTOCK_TRY(tensor, take_string(kNameMax, "tensor name"));
    ROOTSTOCK_TRY(shape, dimensions(tensor));
    ROOTSTOCK_TRY(dtype, tensor_type(tensor));
    ROOTSTOCK_TRY(offset, take<std::uint64_t>());
    Info info{std::move(tensor), dtype, std::move(shape), offset, 0};
    if (offset % alignment != 0)
        return corrupt("places tensor \"" + info.name + "\" at " + std::to_string(offset) + ", no multiple of " +
                       std::to_string(alignment));
    ROOTSTOCK_TRY(bytes, size_of_data(info));
    info.bytes = bytes;
    return info;
}

// Sorted by place, no tensor may begin before the one in front of it ends, and none may leave the file.
Result<void> Reader::check_places(std::vector<Info>& infos, std::uint64_t data) const {
    std::ranges::sort(infos, {}, &Info::offset);
    std::uint64_t end = 0;
    for (const auto& info : infos) {
        if (info.offset < end) return corrupt("lets tensor \"" + info.name + "\" overlap another");
        if (info.offset > data || info.bytes > data - info.offset)
            return corrupt("is cut short: tensor \"" + info.name + "\" needs " + std::to_string(info.bytes) +
                           " bytes at " + std::to_string(info.offset) + " of " + std::to_string(data));
        end = info.offset + info.bytes;
    }
    return {};
}

// A file with a small alignment may leave a tensor off its natural boundary; such a one is copied.
HostTensor Reader::tensor_at(const Info& info, std::span<const std::byte> data) const {
    const auto bytes = data.subspan(info.offset, info.bytes);
    const auto boundary = is_blocks(info.dtype) ? 1 : size_of(info.dtype);
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % boundary == 0) return {info.dtype, info.shape, bytes, owner_};
    return make_tensor(info.dtype, info.shape, {bytes.begin(), bytes.end()});
}

Result<Gguf> Reader::read() {
    Gguf gguf;
    ROOTSTOCK_CHECKED(head(gguf));
    ROOTSTOCK_CHECKED(key_values(gguf));
    ROOTSTOCK_TRY(boundary, alignment(gguf));
    std::vector<Info> infos;
    for (std::uint64_t i = 0; i < tensors_; ++i) {
        ROOTSTOCK_TRY(one, info(boundary));
        infos.push_back(std::move(one));
    }
    const auto begin = std::min<std::uint64_t>((at_ + boundary - 1) / boundary * boundary, bytes_.size());
    const auto data = bytes_.subspan(begin);
    ROOTSTOCK_CHECKED(check_places(infos, data.size()));
    for (const auto& one : infos)
        if (!gguf.tensors.emplace(one.name, tensor_at(one, data)).second)
            return corrupt("has the tensor \"" + one.name + "\" twice");
    return gguf;
}

}  // namespace

Result<Gguf> parse_gguf(std::span<const std::byte> bytes, std::string_view what, std::shared_ptr<const void> owner) {
    return Reader(bytes, what, std::move(owner)).read();
}

Result<Gguf> read_gguf(const std::filesystem::path& path) {
    ROOTSTOCK_TRY(file, MappedFile::open(path));
    ROOTSTOCK_TRY(gguf, parse_gguf(file->bytes(), path.string(), file));
    gguf.file = file;
    return gguf;
}

}  // namespace rootstock
