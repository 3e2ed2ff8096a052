#include "model/files/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

namespace rootstock {
namespace {

namespace fs = std::filesystem;

class SafetensorsTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("safetensors-" + secret_base62(8));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    Result<Safetensors> read(std::string_view bytes) {
        const auto path = folder_ / "x.safetensors";
        std::ofstream(path, std::ios::binary) << bytes;
        return read_safetensors(path);
    }

    // The bytes of a file with this header and `buffer` zero bytes.
    static std::string with_header(std::string header, std::size_t buffer) {
        const std::uint64_t length = header.size();
        std::string bytes(8, '\0');
        std::memcpy(bytes.data(), &length, 8);
        return bytes + header + std::string(buffer, '\0');
    }

    void expect_corrupt(const std::string& header, std::size_t buffer, const std::string& word) {
        const auto result = read(with_header(header, buffer));
        ASSERT_FALSE(result) << header;
        EXPECT_EQ(result.error().code, ErrorCode::corrupt) << header;
        EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
        EXPECT_NE(result.error().message.find("x.safetensors"), std::string::npos) << result.error().message;
    }

    fs::path folder_;
};

std::map<std::string, HostTensor> three_tensors() {
    static const std::vector<float> numbers{1, -2, 3.5f, 0, 5, 6};
    static const std::vector<std::int64_t> integers{7, -8};
    std::map<std::string, HostTensor> tensors;
    tensors.emplace("b.weight", make_tensor({2, 3}, numbers));
    tensors.emplace("a.weight", make_tensor({1}, std::span(numbers).first(1)));
    tensors.emplace("z.ids", HostTensor{Dtype::i64, {2}, std::as_bytes(std::span(integers)), nullptr});
    return tensors;
}

TEST_F(SafetensorsTest, WhatIsWrittenIsReadBack) {
    ASSERT_TRUE(write_safetensors(folder_ / "t.safetensors", three_tensors()));
    const auto read = read_safetensors(folder_ / "t.safetensors");
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->tensors.size(), 3u);
    EXPECT_EQ(read->metadata.at("format"), "pt");
    const auto& tensor = read->tensors.at("b.weight");
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(tensor.floats()[2], 3.5f);
    EXPECT_EQ(read->tensors.at("z.ids").dtype, Dtype::i64);
}

TEST_F(SafetensorsTest, TheWriterKeepsTheReferenceOrder) {
    const auto bytes = safetensors_bytes(three_tensors());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    EXPECT_EQ(length % 8, 0u);
    const auto header = bytes.substr(8, length);
    EXPECT_TRUE(header.starts_with(
        R"({"__metadata__":{"format":"pt"},"z.ids":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"a.weight")"))
        << header;
    EXPECT_LT(header.find("a.weight"), header.find("b.weight"));
}

TEST_F(SafetensorsTest, EveryTruncationIsRefusedWithASentence) {
    const auto whole = safetensors_bytes(three_tensors());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto result = read(std::string_view(whole).substr(0, size));
        ASSERT_FALSE(result) << size;
        EXPECT_EQ(result.error().code, ErrorCode::corrupt) << size;
        EXPECT_NE(result.error().message.find("fetch it again"), std::string::npos) << result.error().message;
    }
}

TEST_F(SafetensorsTest, NoChangedHeaderByteLeadsOutOfTheFile) {
    const auto whole = safetensors_bytes(three_tensors());
    std::uint64_t length = 0;
    std::memcpy(&length, whole.data(), 8);
    for (std::size_t at = 0; at < 8 + length; ++at)
        for (const int change : {1, 4, 0x80}) {
            auto bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            const auto result = read(bytes);
            if (!result) continue;  // refused, or read as another valid file: then every byte must be there
            for (const auto& [name, tensor] : result->tensors)
                EXPECT_EQ(tensor.bytes.size(), static_cast<std::size_t>(tensor.elements()) * size_of(tensor.dtype));
        }
}

TEST_F(SafetensorsTest, ContradictionsAreNamed) {
    const std::string one = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    expect_corrupt(one + "}", 9, "after its last tensor");
    expect_corrupt(one + "}", 7, "cut short");
    expect_corrupt(one + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16, "hole");
    expect_corrupt(one + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "overlap");
    expect_corrupt(one + R"(,"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})", 12, "twice");
    expect_corrupt(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "does not fit its shape");
    expect_corrupt(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "shape");
    expect_corrupt(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0, "does not fit");
    expect_corrupt(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "place");
    expect_corrupt(R"({"a":{"dtype":"F32","shape":[2]}})", 8, "data_offsets");
    expect_corrupt(R"(["a"])", 0, "not a JSON object");
    expect_corrupt(R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}})", 0, "cannot read");
}

TEST_F(SafetensorsTest, AHeaderBeyondTheLimitIsRefused) {
    auto bytes = with_header("{}", 0);
    const std::uint64_t length = 100'000'001;
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_EQ(read(bytes).error().code, ErrorCode::corrupt);
}

TEST_F(SafetensorsTest, AnUnknownTypeIsUnsupportedByName) {
    const auto result = read(with_header(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", 1));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unsupported);
    EXPECT_NE(result.error().message.find("F4"), std::string::npos);
}

TEST_F(SafetensorsTest, ScalarsEmptyTensorsAndOddPlacesAreRead) {
    const auto read_back = read(with_header(
        R"({"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"e":{"dtype":"F32","shape":[0,4],"data_offsets":[1,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
        5));
    ASSERT_TRUE(read_back) << read_back.error().message;
    EXPECT_EQ(read_back->tensors.at("e").elements(), 0);
    EXPECT_EQ(read_back->tensors.at("f").floats()[0], 0.0f);  // copied to its natural boundary
}

TEST_F(SafetensorsTest, AMissingFileIsNotFound) {
    EXPECT_EQ(read_safetensors(folder_ / "none").error().code, ErrorCode::not_found);
}

TEST(HostTensor, HalfPrecisionFormatsConvertBothWays) {
    EXPECT_EQ(bf16_to_float(float_to_bf16(1.5f)), 1.5f);
    EXPECT_EQ(float_to_bf16(1.0f + 1.0f / 256), float_to_bf16(1.0f));               // a tie goes to even
    EXPECT_EQ(bf16_to_float(float_to_bf16(1.0f + 3.0f / 256)), 1.0f + 4.0f / 256);  // and to even upwards
    EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(NAN))));
    EXPECT_EQ(f16_to_float(0x3c00), 1.0f);
    EXPECT_EQ(f16_to_float(0xc000), -2.0f);
    EXPECT_EQ(f16_to_float(0x0001), std::ldexp(1.0f, -24));
    EXPECT_EQ(f16_to_float(0x7bff), 65504.0f);
    EXPECT_TRUE(std::isinf(f16_to_float(0x7c00)));
}

}  // namespace
}  // namespace rootstock
