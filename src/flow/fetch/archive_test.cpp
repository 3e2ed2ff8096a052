#include "flow/fetch/archive.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zip.h>

#include <fstream>
#include <functional>

#include "flow/fetch/package.h"

namespace rootstock {
namespace {
namespace fs = std::filesystem;

class ArchiveTest : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("rootstock-archive-" + secret_base62(8));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path make(const std::vector<std::pair<std::string, std::string>>& entries,
                  const std::function<void(zip_t*)>& change = {}) {
        auto file = folder_ / "some.whl";
        zip_t* zip = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
        for (const auto& [path, bytes] : entries) {
            auto* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
            EXPECT_GE(zip_file_add(zip, path.c_str(), source, ZIP_FL_ENC_UTF_8), 0);
        }
        if (change) change(zip);
        EXPECT_EQ(zip_close(zip), 0);
        return file;
    }

    // The error, after checking that nothing was unpacked.
    Error refused(const fs::path& file) {
        auto archive = Archive::open(file);
        EXPECT_FALSE(archive);
        return archive ? Error{} : archive.error();
    }

    fs::path folder_;
};

TEST_F(ArchiveTest, GivesBackWhatWasPutIn) {
    auto archive = Archive::open(make({{"a/b.txt", "hello"}, {"c.txt", ""}}));
    ASSERT_TRUE(archive) << archive.error().message;
    ASSERT_EQ(archive->entries().size(), 2u);
    ASSERT_TRUE(archive->extract(*archive->find("a/b.txt"), folder_ / "out" / "b.txt"));
    EXPECT_EQ(*read_file(folder_ / "out" / "b.txt"), "hello");
    EXPECT_EQ(*archive->read(*archive->find("c.txt")), "");
}

TEST_F(ArchiveTest, NothingLeavesItsFolder) {
    for (auto path : {"../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:evil"}) {
        auto error = refused(make({{path, "x"}}));
        EXPECT_EQ(error.code, ErrorCode::invalid_argument) << path;
        EXPECT_NE(error.message.find("outside"), std::string::npos);
    }
}

TEST_F(ArchiveTest, RefusesLinks) {
    auto file = make({{"link", "/etc/passwd"}}, [](zip_t* zip) {
        zip_file_set_external_attributes(zip, 0, 0, ZIP_OPSYS_UNIX, static_cast<zip_uint32_t>(S_IFLNK | 0777) << 16);
    });
    EXPECT_NE(refused(file).message.find("is a link"), std::string::npos);
}

TEST_F(ArchiveTest, RefusesWhatSwells) {
    std::string zeros(std::size_t{8} << 20, '\0');
    EXPECT_EQ(refused(make({{"bomb", zeros}})).code, ErrorCode::too_large);
    auto small = Archive::open(make({{"a", "123"}, {"b", "123"}}), {.bytes_max = 5});
    ASSERT_FALSE(small);
    EXPECT_EQ(small.error().code, ErrorCode::too_large);
    auto many = Archive::open(make({{"a", "1"}, {"b", "2"}}), {.entries_max = 1});
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().code, ErrorCode::too_large);
}

TEST_F(ArchiveTest, NoticesDamage) {
    std::string text(5000, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * i % 23);
    auto file = make({{"a", text}});
    auto bytes = *read_file(file);
    std::ofstream(folder_ / "short.whl", std::ios::binary) << bytes.substr(0, bytes.size() / 2);
    EXPECT_EQ(refused(folder_ / "short.whl").code, ErrorCode::corrupt);
    bytes[60] = static_cast<char>(bytes[60] ^ 0x55);
    std::ofstream(folder_ / "flipped.whl", std::ios::binary) << bytes;
    auto archive = Archive::open(folder_ / "flipped.whl");
    if (archive) {
        auto out = archive->extract(*archive->find("a"), folder_ / "a");
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().code, ErrorCode::corrupt);
    }
}

// ---- wheels ----

void no_progress(const std::string&, std::uint64_t, std::uint64_t) {}

TEST_F(ArchiveTest, FindsTheModelInAWheelAndItsLicence) {
    auto wheel = make({{"pkg/model/config.json", "{}"},
                       {"pkg/model/model.safetensors", "w"},
                       {"pkg/model/pytorch_model.bin", "p"},
                       {"pkg/model/1_Pooling/config.json", "{}"},
                       {"pkg/__init__.py", "raise SystemExit"},
                       {"pkg-1.dist-info/METADATA", "Name: pkg\nLicense: MIT\n"}});
    auto fetched = unpack_wheel(wheel, folder_ / "work", no_progress);
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_EQ(fetched->licence, "MIT");
    EXPECT_TRUE(fs::exists(fetched->folder / "config.json"));
    EXPECT_TRUE(fs::exists(fetched->folder / "1_Pooling" / "config.json"));
    EXPECT_FALSE(fs::exists(fetched->folder / "pytorch_model.bin"));
}

TEST_F(ArchiveTest, SaysWhatAWheelHoldsInsteadOfAModel) {
    auto message = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
        auto fetched = unpack_wheel(make(entries), folder_ / "work", no_progress);
        EXPECT_FALSE(fetched);
        return fetched ? "" : fetched.error().message;
    };
    EXPECT_NE(message({{"m/config.json", "{}"}, {"m/pytorch_model.bin", "x"}}).find("pickle"), std::string::npos);
    EXPECT_NE(message({{"m/config.json", "{}"}, {"m/model.onnx", "x"}}).find("ONNX"), std::string::npos);
    EXPECT_NE(message({{"m/a.py", "x"}}).find("config.json and model.safetensors"), std::string::npos);
    EXPECT_NE(message({{"a/config.json", "{}"},
                       {"a/model.safetensors", "w"},
                       {"b/config.json", "{}"},
                       {"b/model.safetensors", "w"}})
                  .find("several models (a, b)"),
              std::string::npos);
}

}  // namespace
}  // namespace rootstock
