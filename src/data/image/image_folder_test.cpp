#include "data/image/image_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/image/image.h"
#include "data/image/picture_reader.h"
#include "data/test_places.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

class PictureFolders : public ::testing::Test {
protected:
    void SetUp() override { fs::create_directories(root_); }
    void TearDown() override { fs::remove_all(root_); }
    void put(const std::string& inside, const char* picture) const {
        fs::create_directories((root_ / inside).parent_path());
        fs::copy_file(fs::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden/images" / picture, root_ / inside);
    }
    void write(const std::string& inside, const std::string& text) const {
        fs::create_directories((root_ / inside).parent_path());
        ASSERT_TRUE(write_file_atomically(root_ / inside, text));
    }
    fs::path root_ = fs::temp_directory_path() / ("pictures-" + secret_base62(8));
};

TEST_F(PictureFolders, FoldersAreClassesAndFaultyFilesAreKeptAside) {
    put("cat/b.png", "rgb.png");
    put("cat/more/a.jpg", "rgb444.jpg");
    put("dog/c.webp", "lossless.webp");
    put("dog/.hidden.png", "rgb.png");
    write("cat/broken.png", "no picture");
    write("LICENSE", "of the set");
    const auto dataset = read_labelled_images(root_);
    ASSERT_TRUE(dataset) << dataset.error().message;
    EXPECT_THAT(dataset->labels, testing::ElementsAre("cat", "dog"));
    ASSERT_EQ(dataset->examples.size(), 3u);
    EXPECT_EQ(dataset->examples[0], (TextExample{(root_ / "cat/b.png").string(), 0, 1}));
    EXPECT_EQ(dataset->examples[2], (TextExample{(root_ / "dog/c.webp").string(), 1, 4}));
    ASSERT_EQ(dataset->problems.size(), 1u);
    EXPECT_EQ(dataset->problems[0].field, "cat/broken.png");
    EXPECT_EQ(dataset->rows, 4);
}

TEST_F(PictureFolders, TheDigestFollowsBytesAndPaths) {
    put("cat/a.png", "rgb.png");
    put("dog/b.png", "grey.png");
    const auto first = read_labelled_images(root_).value().digest;
    EXPECT_EQ(read_labelled_images(root_).value().digest, first);
    fs::rename(root_ / "dog/b.png", root_ / "dog/c.png");
    const auto renamed = read_labelled_images(root_).value().digest;
    EXPECT_NE(renamed, first);
    fs::remove(root_ / "dog/c.png");
    put("dog/c.png", "grey16.png");
    EXPECT_NE(read_labelled_images(root_).value().digest, renamed);
}

TEST_F(PictureFolders, OnePictureUnderTwoClassesIsSaidAndOneTwiceIsCounted) {
    put("cat/a.png", "rgb.png");
    put("cat/b.png", "rgb.png");
    put("dog/c.png", "rgb.png");
    const auto dataset = read_labelled_images(root_).value();
    EXPECT_EQ(dataset.duplicates, 1);
    EXPECT_THAT(dataset.warnings, testing::ElementsAre(testing::HasSubstr("dog/c.png")));
}

TEST_F(PictureFolders, KnownClassesKeepOthersAside) {
    put("cat/a.png", "rgb.png");
    put("fox/b.png", "grey.png");
    const auto dataset = read_labelled_images(root_, {"cat", "dog"});
    ASSERT_TRUE(dataset) << dataset.error().message;
    EXPECT_EQ(dataset->examples.size(), 1u);
    EXPECT_THAT(dataset->problems.at(0).reason, testing::HasSubstr("'fox'"));
}

TEST_F(PictureFolders, WithoutTwoClassesThereIsNothingToTellApart) {
    const auto refused = [&](const char* sentence) {
        const auto dataset = read_labelled_images(root_);
        ASSERT_FALSE(dataset);
        EXPECT_EQ(dataset.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(dataset.error().message, testing::HasSubstr(sentence));
    };
    refused("no folder with pictures");
    put("cat/a.png", "rgb.png");
    refused("one class only");
    EXPECT_FALSE(read_labelled_images(root_ / "cat/a.png"));
}

TEST_F(PictureFolders, PicturesComeAsTheModelTakesThem) {
    const std::string config = R"({"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}})";
    const auto without = PictureReader::open(root_, 24, 3);
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().code, ErrorCode::not_found);
    write("preprocessor_config.json", config);
    const auto other = PictureReader::open(root_, 32, 3);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::conflict);
    EXPECT_FALSE(PictureReader::open(root_, 24, 1));
    const auto reader = PictureReader::open(root_, 24, 3);
    ASSERT_TRUE(reader) << reader.error().message;
    put("a.png", "rgb.png");
    std::vector<float> pixels;
    ASSERT_TRUE(reader->read(root_ / "a.png", pixels));
    const auto preprocessing = parse_image_preprocessing(config, "config").value();
    EXPECT_EQ(pixels, preprocess_image(read_image_file(root_ / "a.png").value(), preprocessing)->values);
    ASSERT_TRUE(reader->read(root_ / "a.png", pixels));
    EXPECT_EQ(pixels.size(), 2u * 3 * 24 * 24);
    EXPECT_FALSE(reader->read(root_ / "none.png", pixels));
}

}  // namespace
}  // namespace rootstock
