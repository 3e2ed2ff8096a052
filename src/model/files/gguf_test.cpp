#include "model/files/gguf.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "model/files/blocks.h"
#include "model/files/safetensors.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden";
constexpr const char* kTypes[] = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"};

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// ---- the numbers: those of the gguf package ----

TEST(Blocks, EveryTypeDecodesToTheBitsOfTheReference) {
    const auto file = read_gguf(kGolden / "gguf_blocks.gguf");
    ASSERT_TRUE(file) << file.error().message;
    const auto golden = read_safetensors(kGolden / "gguf_blocks.safetensors");
    ASSERT_TRUE(golden) << golden.error().message;
    for (const auto* type : kTypes) {
        const auto& tensor = file->tensors.at(type);
        EXPECT_STREQ(name(tensor.dtype), type);
        EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{3, 512})) << type;
        const auto ours = to_floats(tensor);
        const auto theirs = golden->tensors.at(type).floats();
        ASSERT_EQ(ours.size(), theirs.size());
        for (std::size_t i = 0; i < ours.size(); ++i)
            ASSERT_EQ(std::bit_cast<std::uint32_t>(ours[i]), std::bit_cast<std::uint32_t>(theirs[i]))
                << type << " " << i << ": " << ours[i] << " instead of " << theirs[i];
        EXPECT_EQ(to_floats(row_of(tensor, 1)), (std::vector<float>{ours.begin() + 512, ours.begin() + 1024})) << type;
    }
}

TEST(Blocks, EncodingGivesTheBytesOfTheReference) {
    const auto golden = read_safetensors(kGolden / "gguf_blocks.safetensors");
    ASSERT_TRUE(golden) << golden.error().message;
    const auto& values = golden->tensors.at("values");
    for (const auto dtype : {Dtype::f16, Dtype::q8_0, Dtype::q4_0}) {
        const auto ours = text_of(converted(values, dtype).bytes);
        const auto theirs = text_of(golden->tensors.at(std::string("values.") + name(dtype)).bytes);
        ASSERT_EQ(ours.size(), theirs.size()) << name(dtype);
        for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_EQ(ours[i], theirs[i]) << name(dtype) << " byte " << i;
    }
}

TEST(Blocks, AHalfOfEveryBitPatternGoesThereAndBack) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto value = f16_to_float(static_cast<std::uint16_t>(bits));
        if (std::isnan(value)) continue;
        ASSERT_EQ(float_to_f16(value), bits);
        const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
        if (exponent == 31) continue;
        const double exact = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
        ASSERT_EQ(std::abs(value), exact);
    }
    EXPECT_EQ(float_to_f16(65519.9f), 0x7bff);
    EXPECT_EQ(float_to_f16(65520.0f), 0x7c00);
    EXPECT_EQ(float_to_f16(-1e30f), 0xfc00);
    EXPECT_TRUE(std::isnan(f16_to_float(float_to_f16(NAN))));
}

// ---- the file ----

TEST(Gguf, ValuesOfEveryTypeAreRead) {
    const auto file = read_gguf(kGolden / "gguf_blocks.gguf");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(*file->text("general.architecture"), "llama");
    EXPECT_EQ(file->integer("test.u8"), 200);
    EXPECT_EQ(file->integer("test.i8"), -100);
    EXPECT_EQ(file->integer("test.u16"), 60000);
    EXPECT_EQ(file->integer("test.i16"), -30000);
    EXPECT_EQ(file->integer("test.u32"), 4000000000);
    EXPECT_EQ(file->integer("test.i32"), -2000000000);
    EXPECT_EQ(file->integer("test.u64"), std::int64_t{1} << 60);
    EXPECT_EQ(file->integer("test.i64"), -(std::int64_t{1} << 60));
    EXPECT_EQ(file->number("test.f32"), 1.5);
    EXPECT_EQ(file->number("test.f64"), 0.1);
    EXPECT_EQ(file->flag("test.bool"), true);
    EXPECT_EQ(*file->text("test.string"), "grün");
    EXPECT_EQ(*file->texts("test.strings"), (std::vector<std::string>{"a", "", "ä"}));
    EXPECT_EQ(file->integers("test.ints"), (std::vector<std::int64_t>{1, -2, 3}));
    EXPECT_EQ(file->numbers("test.floats"), (std::vector<double>{0.5, -0.25}));
    EXPECT_EQ(file->integer("test.string"), std::nullopt);
    EXPECT_EQ(file->text("test.u8"), nullptr);
    EXPECT_EQ(read_gguf(kGolden / "none.gguf").error().code, ErrorCode::not_found);
}

std::map<std::string, GgufValue, std::less<>> some_values() {
    return {{"general.architecture", GgufValue::of_string("llama")},
            {"a.u8", {GgufType::u8, false, std::uint64_t{7}}},
            {"b.words", GgufValue::of_strings({"x", "yz"})},
            {"c.numbers", GgufValue::of_i32s({1, -1})},
            {"d.floats", GgufValue::of_f32s({0.5})},
            {"e.flags", {GgufType::boolean, true, std::vector<bool>{true, false}}}};
}

class GgufFile : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("gguf-" + secret_base62(8));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string written() {
        std::vector<float> numbers(64);
        for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i) - 20;
        const auto tensor = make_tensor({2, 32}, numbers);
        const auto done = write_gguf(folder_ / "x.gguf", some_values(),
                                     {{"w", converted(tensor, Dtype::q8_0)},
                                      {"half", converted(tensor, Dtype::f16)},
                                      {"norm", make_tensor({3}, std::span(numbers).first(3))}});
        EXPECT_TRUE(done) << done.error().message;
        return read_file(folder_ / "x.gguf").value();
    }

    static void expect_error(std::string_view bytes, ErrorCode code, const std::string& word) {
        const auto result = parse_gguf(bytes_of(bytes), "x.gguf");
        ASSERT_FALSE(result) << word;
        EXPECT_EQ(result.error().code, code) << result.error().message;
        EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
        EXPECT_TRUE(result.error().message.starts_with("x.gguf")) << result.error().message;
    }

    // The file with `value` written over what stands `after` bytes behind the first `mark`.
    template <typename T>
    static std::string changed(std::string bytes, std::string_view mark, std::size_t after, T value) {
        const auto at = bytes.find(mark);
        EXPECT_NE(at, std::string::npos);
        std::memcpy(bytes.data() + at + mark.size() + after, &value, sizeof(value));
        return bytes;
    }

    fs::path folder_;
};

TEST_F(GgufFile, WhatIsWrittenIsReadBack) {
    const auto bytes = written();
    const auto file = parse_gguf(bytes_of(bytes), "x.gguf");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->version, 3u);
    EXPECT_EQ(file->values.size(), some_values().size());
    EXPECT_EQ(file->integer("a.u8"), 7);
    EXPECT_EQ(*file->texts("b.words"), (std::vector<std::string>{"x", "yz"}));
    EXPECT_EQ(file->integers("c.numbers"), (std::vector<std::int64_t>{1, -1}));
    EXPECT_EQ(file->tensors.at("w").dtype, Dtype::q8_0);
    EXPECT_EQ(file->tensors.at("half").shape, (std::vector<std::int64_t>{2, 32}));
    EXPECT_EQ(to_floats(file->tensors.at("half"))[63], 43);
    EXPECT_EQ(to_floats(file->tensors.at("norm")), (std::vector<float>{-20, -19, -18}));
    for (const auto& entry : fs::directory_iterator(folder_)) EXPECT_EQ(entry.path().filename(), "x.gguf");
}

TEST_F(GgufFile, EveryTruncationIsRefusedWithASentence) {
    auto whole = written();
    whole.resize(whole.size() - 20);  // the padding behind the last tensor is nobody's
    ASSERT_TRUE(parse_gguf(bytes_of(whole), "x.gguf"));
    for (std::size_t size = 0; size < whole.size(); ++size)
        expect_error(std::string_view(whole).substr(0, size), ErrorCode::corrupt, "fetch it again");
}

TEST_F(GgufFile, NoChangedByteLeadsOutOfTheFile) {
    const auto whole = written();
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const int change : {1, 4, 0x80, 0xff}) {
            auto bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            const auto result = parse_gguf(bytes_of(bytes), "x.gguf");
            if (!result) continue;  // refused, or read as another valid file: then every byte must be there
            for (const auto& [name, tensor] : result->tensors) {
                EXPECT_EQ(static_cast<std::int64_t>(tensor.bytes.size() / block_bytes(tensor.dtype)) *
                              block_elements(tensor.dtype),
                          tensor.elements());
                unsigned sum = 0;
                for (const auto byte : tensor.bytes) sum += static_cast<unsigned>(byte);
                EXPECT_GE(sum, 0u);
            }
        }
}

TEST_F(GgufFile, ContradictionsAreNamed) {
    const auto whole = written();
    constexpr auto kHuge = ~std::uint64_t{0};
    expect_error("GGML" + whole.substr(4), ErrorCode::corrupt, "no GGUF file");
    expect_error(changed(whole, "GGUF", 0, std::uint32_t{1}), ErrorCode::unsupported, "version 1");
    expect_error(changed(whole, "GGUF", 0, std::uint32_t{3} << 24), ErrorCode::unsupported, "big-endian");
    EXPECT_TRUE(parse_gguf(bytes_of(changed(whole, "GGUF", 0, std::uint32_t{2})), "x.gguf"));
    expect_error(changed(whole, "GGUF", 4, kHuge), ErrorCode::corrupt, "more than its bytes can hold");
    expect_error(changed(whole, "GGUF", 12, kHuge), ErrorCode::corrupt, "more than its bytes can hold");
    expect_error(changed(whole, "general.architecture", 4, kHuge), ErrorCode::corrupt, "beyond the file");
    expect_error(changed(whole, "general.architecture", 0, std::uint32_t{13}), ErrorCode::corrupt, "unknown type 13");
    expect_error(changed(whole, "b.words", 8, kHuge), ErrorCode::corrupt, "beyond the file");
    expect_error(changed(whole, "b.words", 4, std::uint32_t{9}), ErrorCode::unsupported, "array of arrays");
}

TEST_F(GgufFile, TensorsThatCannotBeAreNamed) {
    const auto whole = written();
    const std::string half =
        std::string("\4\0\0\0\0\0\0\0half", 12);  // u32 dimensions, u64 32, u64 2, u32 type, u64 place
    expect_error(changed(whole, half, 0, std::uint32_t{5}), ErrorCode::corrupt, "dimensions");
    expect_error(changed(whole, half, 4, std::uint64_t{0}), ErrorCode::corrupt, "a dimension of 0");
    expect_error(changed(whole, half, 4, ~std::uint64_t{0}), ErrorCode::corrupt, "a dimension of");
    expect_error(changed(changed(whole, half, 4, std::uint64_t{1} << 40), half, 12, std::uint64_t{1} << 40),
                 ErrorCode::corrupt, "more bytes than can be counted");
    expect_error(changed(whole, half, 12, std::uint64_t{200}), ErrorCode::corrupt, "cut short");
    expect_error(changed(whole, half, 20, std::uint32_t{10}), ErrorCode::unsupported, "Q2_K");
    expect_error(changed(whole, half, 20, std::uint32_t{12}), ErrorCode::corrupt, "a multiple of 256");
    expect_error(changed(whole, half, 20, std::uint32_t{77}), ErrorCode::unsupported, "type 77");
    expect_error(changed(whole, half, 24, std::uint64_t{33}), ErrorCode::corrupt, "no multiple of 32");
    expect_error(changed(whole, half, 24, std::uint64_t{32}), ErrorCode::corrupt, "overlap");
    expect_error(changed(whole, half, 24, std::uint64_t{1} << 50), ErrorCode::corrupt, "cut short");
}

TEST_F(GgufFile, NamesAndKeysStandOnce) {
    std::vector<float> one{1};
    const auto tensor = make_tensor({1}, one);
    ASSERT_TRUE(write_gguf(folder_ / "y.gguf", {{"k1", GgufValue::of_bool(true)}, {"k2", GgufValue::of_bool(true)}},
                           {{"t1", tensor}, {"t2", tensor}}));
    const auto bytes = read_file(folder_ / "y.gguf").value();
    auto twice = bytes;
    twice[twice.find("k2") + 1] = '1';
    expect_error(twice, ErrorCode::corrupt, "key \"k1\" twice");
    twice = bytes;
    twice[twice.find("t2") + 1] = '1';
    expect_error(twice, ErrorCode::corrupt, "tensor \"t1\" twice");
}

TEST_F(GgufFile, AlignmentIsAPowerOfTwo) {
    std::vector<float> numbers{1, 2, 3};
    const GgufTensors tensors{{"t", make_tensor({3}, numbers)}};
    ASSERT_TRUE(write_gguf(folder_ / "a.gguf", {{"general.alignment", GgufValue::of_u32(32)}}, tensors));
    const auto bytes = read_file(folder_ / "a.gguf").value();
    EXPECT_TRUE(parse_gguf(bytes_of(bytes), "x.gguf"));
    for (const std::uint32_t wrong : {0u, 3u, 48u, 0x80000000u})
        expect_error(changed(bytes, "general.alignment", 4, wrong), ErrorCode::corrupt, "power of two");
    expect_error(changed(bytes, "general.alignment", 0, std::uint32_t{6}), ErrorCode::corrupt, "general.alignment");
    // With an alignment of one the tensor stands right behind its info, off its natural boundary, and is copied.
    auto tight = changed(bytes, "general.alignment", 4, std::uint32_t{1});
    const auto read = parse_gguf(bytes_of(tight), "x.gguf");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read->tensors.at("t").bytes.data()) % 4, 0u);
}

TEST_F(GgufFile, ArraysBeyondEveryVocabularyAreRefused) {
    const std::vector<std::int64_t> many((1 << 22) + 1, 1);
    std::map<std::string, GgufValue, std::less<>> values{{"x", {GgufType::i8, true, many}}};
    EXPECT_EQ(write_gguf(folder_ / "m.gguf", values, {}).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace rootstock
