#include "data/image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "data/image/preprocessing.h"
#include "data/test_places.h"

namespace rootstock {
namespace {

using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string fixture(const std::string& name) { return read_file(test::golden() / "images" / name).value(); }

// Image `number` of the array val_images: the archive's members are stored without compression.
Image pneumonia_scan(std::size_t number) {
    static const std::string archive = read_file(test::shared_data() / "pneumoniamnist/pneumoniamnist.npz").value();
    constexpr std::size_t side = 28, local_header = 30;
    const std::string member = "val_images.npy";
    auto at = archive.find(member);
    std::uint16_t extra = 0, preamble = 0;
    std::memcpy(&extra, archive.data() + at - local_header + 28, 2);
    auto array = at + member.size() + extra;
    std::memcpy(&preamble, archive.data() + array + 8, 2);
    auto pixels = archive.substr(array + 10 + preamble + number * side * side, side * side);
    Image image{side, side, 3, {}};
    for (char grey : pixels) image.bytes.insert(image.bytes.end(), 3, static_cast<std::uint8_t>(grey));
    return image;
}

Result<Image> image_named(const std::string& name) {
    if (name.find('/') == std::string::npos) return read_image_file(test::golden() / "images" / name);
    constexpr std::string_view scans = "pneumoniamnist/";
    if (name.starts_with(scans)) return pneumonia_scan(std::stoul(name.substr(scans.size())));
    return read_image_file(test::shared_data() / name);
}

const json::object& golden_images() {
    static const json::value value =
        parse_json(read_file(test::golden() / "images.json").value(), "images.json").value();
    return value.as_object();
}

std::string digest(const auto& values) {
    return sha256_hex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])});
}

void expect_output(const Image& image, const std::string& config, const json::object& expected) {
    auto text = json::serialize(golden_images().at("configs").at(config));
    auto preprocessing = parse_image_preprocessing(text, "preprocessor_config.json");
    ASSERT_TRUE(preprocessing) << preprocessing.error().message;
    auto pixels = preprocess_image(image, *preprocessing);
    ASSERT_TRUE(pixels) << pixels.error().message;
    const auto& shape = expected.at("shape").as_array();
    ASSERT_EQ(shape[1].to_number<int>(), pixels->height);
    ASSERT_EQ(shape[2].to_number<int>(), pixels->width);
    EXPECT_EQ(pixels->channels, 3);
    for (int c = 0; c < 3; ++c) {
        auto at = (c * pixels->height + pixels->height / 2) * pixels->width + pixels->width / 3;
        EXPECT_EQ(pixels->values[static_cast<std::size_t>(at)],
                  expected.at("values").as_array()[static_cast<std::size_t>(c)].to_number<float>());
    }
    EXPECT_EQ(digest(pixels->values), expected.at("sha256").as_string());
}

TEST(Images, EveryPixelIsThatOfPillowAndOfTheReferenceProcessors) {
    std::size_t outputs = 0;
    for (const auto& one : golden_images().at("cases").as_array()) {
        const auto& expected = one.as_object();
        std::string name(expected.at("image").as_string());
        SCOPED_TRACE(name);
        auto image = image_named(name);
        ASSERT_TRUE(image) << image.error().message;
        EXPECT_EQ(image->width, expected.at("width").to_number<int>());
        EXPECT_EQ(image->height, expected.at("height").to_number<int>());
        EXPECT_EQ(digest(image->bytes), expected.at("rgb").as_string());
        for (const auto& [config, output] : expected.at("outputs").as_object()) {
            SCOPED_TRACE(std::string(config));
            expect_output(*image, std::string(config), output.as_object());
            ++outputs;
        }
    }
    EXPECT_GT(outputs, 200u);
}

TEST(Images, EveryKindIsRefusedWhenCutAnywhere) {
    for (const auto& entry : std::filesystem::directory_iterator(test::golden() / "images")) {
        auto whole = read_file(entry.path()).value();
        for (std::size_t size = 0; size < whole.size(); ++size) {
            auto image = read_image(bytes_of(whole).first(size), "cut");
            ASSERT_FALSE(image) << entry.path() << " cut to " << size << " of " << whole.size();
            ASSERT_THAT(image.error().message, HasSubstr("cut "));
        }
    }
}

TEST(Images, DamageNeverCrashes) {
    SeededRandom random(11);
    for (const auto& entry : std::filesystem::directory_iterator(test::golden() / "images")) {
        const auto whole = read_file(entry.path()).value();
        for (int round = 0; round < 300; ++round) {
            auto damaged = whole;
            for (int i = 0; i < 3; ++i) damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
            auto image = read_image(bytes_of(damaged), "damaged", {.pixels_max = 1'000'000});
            if (image) {
                ASSERT_EQ(image->bytes.size(), static_cast<std::size_t>(image->width * image->height * 3));
            }
        }
    }
}

TEST(Images, AHugeImageIsRefusedByItsHeader) {
    auto png = fixture("rgb.png");
    png.replace(16, 8, std::string("\0\0\xEA\x60\0\0\x75\x30", 8));
    auto refused = read_image(bytes_of(png), "bomb.png");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::too_large);
    EXPECT_EQ(
        refused.error().message,
        "bomb.png is 60000 x 30000 = 1,800,000,000 pixels, more than the 50,000,000 that are read; make it smaller");
    png.replace(16, 8, std::string("\0\x01\0\0\0\0\0\x01", 8));
    EXPECT_THAT(read_image(bytes_of(png), "bomb.png").error().message, HasSubstr("no side may be longer than 65535"));
    auto jpeg = fixture("rgb420.jpg");
    auto frame = jpeg.find("\xFF\xC0");
    jpeg.replace(frame + 5, 4, "\xFF\xFF\xFF\xFF");
    EXPECT_EQ(read_image(bytes_of(jpeg), "bomb.jpg").error().code, ErrorCode::too_large);
}

TEST(Images, AHeaderThatContradictsTheImageIsDamage) {
    auto png = fixture("rgb.png");
    png[19] = 36;
    auto refused = read_image(bytes_of(png), "x.png");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
}

TEST(Images, WhatIsNoImageIsNamed) {
    auto refused = read_image(bytes_of("GIF89a and so on"), "row 3, a.gif");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "not_an_image");
    EXPECT_EQ(refused.error().message,
              "row 3, a.gif is not a PNG, JPEG, BMP or WebP image; convert it to one of these");
    EXPECT_EQ(read_image_file("no/such.png").error().code, ErrorCode::not_found);
}

TEST(ImagePreprocessingConfig, NamesTheFieldAtFault) {
    auto fault = [](const std::string& text) {
        auto read = parse_image_preprocessing(text, "preprocessor_config.json");
        return read ? Error{} : read.error();
    };
    EXPECT_EQ(fault(R"({"size":{"height":224}})").param, "size");
    EXPECT_THAT(fault(R"({"size":{"shortest_edge":224}})").message, HasSubstr("needs height and width"));
    EXPECT_EQ(fault(R"({"size":0})").param, "size");
    EXPECT_EQ(fault(R"({"size":224.5})").param, "size");
    EXPECT_EQ(fault(R"({"size":1000000})").param, "size");
    EXPECT_EQ(fault(R"({"resample":6})").param, "resample");
    EXPECT_EQ(fault(R"({"resample":"bicubic"})").param, "resample");
    EXPECT_EQ(fault(R"({"do_resize":1})").param, "do_resize");
    EXPECT_EQ(fault(R"({"do_convert_rgb":"yes"})").param, "do_convert_rgb");
    EXPECT_EQ(fault(R"({"rescale_factor":"1/255"})").param, "rescale_factor");
    EXPECT_EQ(fault(R"({"image_mean":[0.5,0.5]})").param, "image_mean");
    EXPECT_EQ(fault(R"({"image_std":[0.5,0,0.5]})").param, "image_std");
    EXPECT_EQ(fault(R"({"image_processor_type":"DeiTImageProcessor","crop_size":"224"})").param, "crop_size");
    auto other = fault(R"({"image_processor_type":"SamImageProcessor"})");
    EXPECT_EQ(other.code, ErrorCode::unsupported);
    EXPECT_THAT(other.message, HasSubstr("'SamImageProcessor'"));
    EXPECT_EQ(fault("{").code, ErrorCode::invalid_argument);
}

TEST(ImagePreprocessingConfig, AnExtremeShapeIsRefusedBeforeItGrows) {
    Image line{1, 60'000, 3, std::vector<std::uint8_t>(180'000)};
    auto refused = preprocess_image(line, default_preprocessing(ImagePreprocessing::Kind::clip));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "image_too_large");
}

}  // namespace
}  // namespace rootstock
